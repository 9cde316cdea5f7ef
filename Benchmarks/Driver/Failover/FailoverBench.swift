import ArgumentParser
import CBenchmark

/// How long clients cannot write when a primary fails: Walden beside Patroni, each run on a cluster of its own.
struct FailoverBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Measures the outage that clients see when a primary fails, with Walden and with Patroni."
    )

    @Option(help: "Runs of each case.")
    var runs = 20

    @Option(help: "Runs with Patroni, half a minute each where a key has to expire. (default: as --runs)")
    var patroniRuns: Int?

    @Option(
        parsing: .upToNextOption,
        help: "Only these of \(FailoverCase.allCases.map(\.rawValue).joined(separator: ", ")).")
    var only: [String] = []

    @Flag(help: "Print after each run what the system tells of the succession.")
    var story = false

    @Option(help: "Where the rows go.")
    var output = "bench-failover.json"

    func validate() throws {
        guard runs >= 0, patroniRuns ?? 0 >= 0 else { throw ValidationError("a number of runs is at least 0") }
        for name in only where FailoverCase(rawValue: name) == nil { throw ValidationError("no case is named \(name)") }
    }

    func run() throws {
        var report = Report()
        for fault in FailoverCase.allCases where only.isEmpty || only.contains(fault.rawValue) {
            measure(fault, into: &report)
        }
        report.printGoals()
        try report.write(to: output)
        print("\nrows written to \(output)")
        if !report.faults.isEmpty { throw ExitCode(1) }
    }

    /// One run of each system after the other, so that what disturbs the machine for a minute disturbs both.
    private func measure(_ fault: FailoverCase, into report: inout Report) {
        let counts: [(subject: any FailoverSubject.Type, runs: Int)] = [
            (WaldenSubject.self, runs), (PatroniSubject.self, patroniRuns ?? runs),
        ].filter { subject, runs in
            guard runs > 0, let obstacle = subject.obstacle(fault) else { return runs > 0 }
            progress("\(fault.rawValue), \(subject.name): skipped, \(obstacle)")
            return false
        }
        var outcomes = counts.map { _ in [FailoverOutcome]() }
        for number in 0..<(counts.map(\.runs).max() ?? 0) {
            for (index, (subject, runs)) in counts.enumerated() where number < runs {
                do {
                    outcomes[index].append(try measureOnce(fault, subject, number + 1))
                } catch {
                    report.add(fault: "\(fault.rawValue), \(subject.name), run \(number + 1): \(error)")
                }
            }
        }
        var figures = FailoverFigures(fault)
        for (index, (subject, _)) in counts.enumerated() { figures.add(outcomes[index], of: subject.name, to: &report) }
        figures.print()
    }

    private func measureOnce(
        _ fault: FailoverCase, _ subject: any FailoverSubject.Type, _ number: Int
    ) throws -> FailoverOutcome {
        let subject = try subject.start(for: fault)
        defer { subject.end() }
        let load = try FailoverLoad(subject.address)
        do {
            let outcome = try attack(subject, with: fault, under: load)
            progress("\(fault.rawValue), \(type(of: subject).name), run \(number): \(outcome.line)")
            if story { print(try subject.story()) }
            return outcome
        } catch {
            if story, let told = try? subject.story() { print(told) }
            // The clients go with the servers.
            subject.end()
            try? load.end()
            throw error
        }
    }

    private func attack(
        _ subject: any FailoverSubject, with fault: FailoverCase, under load: FailoverLoad
    ) throws -> FailoverOutcome {
        let old = try load.awaitSteadyWrites()
        let begun = bench_now()
        try subject.inject(fault)
        let isOrdered = fault == .switchover
        let new = try load.awaitWrites(
            since: bench_now(), notAt: isOrdered ? old : nil, timeout: subject.patience)
        try load.end()
        return try load.judge(since: begun, on: subject.connect(port: new))
    }
}
