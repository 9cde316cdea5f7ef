import Glibc
import WaldenTestKit

/// `walden-soundness`: looks for a result that a change altered and that the cache would still serve, in random worlds
/// on a real PostgreSQL. Ends with exit code 1 when there is one.
@main
enum Soundness {
    /// Queries alive at once in a world, and transactions until the next world.
    private static let queriesPerWorld = 60
    private static let transactionsPerWorld = 50
    /// Failures shown in full.
    private static let shownFailures = 10

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            exit(try run(options))
        } catch {
            Report.line("\(error)")
            exit(64)
        }
    }

    private static func run(_ options: Options) throws -> Int32 {
        Report.line("soundness: seed=\(options.seed) cases=\(options.cases)")
        let started = ContinuousClock.now
        let primary = try Primary(seed: options.seed)
        defer { primary.end() }
        var tally = RunTally()
        var failures = 0
        var number = options.world ?? 0
        while tally.sum().pairs < options.cases {
            let seed = worldSeed(options.seed, number)
            let world = try World(number: number, seed: seed, on: primary, queries: queriesPerWorld) { failure in
                failures += 1
                if failures <= shownFailures { Report.show(failure, seed: options.seed) }
            }
            world.forgotten = options.forgotten
            try world.run(transactions: transactionsPerWorld, limit: options.cases, &tally)
            if options.world != nil { break }
            number += 1
            if number.isMultiple(of: 25) {
                let sum = tally.sum()
                Report.line("world \(number): pairs=\(sum.pairs) changed=\(sum.changed) missed=\(sum.missed)")
            }
        }
        Report.show(tally, seed: options.seed, seconds: (ContinuousClock.now - started).inSeconds)
        return tally.hasFailed ? 1 : 0
    }

    /// Each world has a seed of its own, so that one can be made again alone.
    static func worldSeed(_ seed: UInt64, _ number: Int) -> UInt64 {
        var dice = Dice(seed: seed, .world, number)
        return dice.seed()
    }
}

/// What the command line asks for.
struct Options {
    var cases = 20_000
    var seed = UInt64.random(in: 0..<1 << 32)
    /// Only this world.
    var world: Int?
    /// To see that the fuzzer finds something: so many of the tables that a query reads are left out of its
    /// dependencies.
    var forgotten = 0

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw TestKitError(Self.usage) }
            switch name {
            case "--cases": cases = try Self.number(value)
            case "--seed": seed = try Self.number(value)
            case "--world": world = try Self.number(value)
            case "--forget": forgotten = try Self.number(value)
            default: throw TestKitError(Self.usage)
            }
        }
    }

    private static let usage =
        "usage: walden-soundness [--cases PAIRS] [--seed NUMBER] [--world NUMBER] [--forget TABLES]"

    private static func number<Number: FixedWidthInteger>(_ text: String) throws -> Number {
        guard let number = Number(text) else { throw TestKitError("\(text) is no number; \(usage)") }
        return number
    }
}
