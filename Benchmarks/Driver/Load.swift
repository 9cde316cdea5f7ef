import WaldenTestKit

/// One run of the load generator.
struct Load {
    /// As pgbench calls it.
    enum QueryMode: String {
        case simple, extended, prepared
    }

    enum Distribution: String {
        case uniform, zipf, sequential
    }

    var connections = 8
    /// Further sessions that ask once before the load, and once after it.
    var idle = 0
    var depth = 1
    var mode = QueryMode.simple
    var keys = 1000
    var firstKey = 1
    var distribution = Distribution.uniform
    /// A key's frequency falls as its rank to this power.
    var zipfExponent = 1.0
    /// Runs of one seed draw the same keys.
    var seed = 1
    var writePercent = 0.0
    var readStatement: String?
    var writeStatement: String?
    /// Sent by every connection after its startup.
    var initStatement: String?
    var expectedRows = 1
    /// Instead of a time, this many requests.
    var requests: Int?
    var seconds = 1.0
    var warmupSeconds = 0.3
    /// Process trees whose processor time is taken, by name.
    var watched: [(name: String, pid: Int32)] = []
    /// Polls without ever sleeping. Needs a processor of its own.
    var spins = false
    var processor: Int? = Workbench.loadProcessor

    /// What the generator prints.
    struct Figures {
        let values: [String: Double]
        let firstError: String?

        subscript(_ name: String) -> Double { values[name] ?? .nan }

        /// Errors and replies that break the protocol.
        var faults: Int { Int((values["errors"] ?? 0) + (values["malformed"] ?? 0)) }
    }

    func run(port: Int) throws -> Figures {
        let pinning = processor.map { ["taskset", "-c", String($0)] } ?? []
        let output = try ProcessRunner.run(
            pinning + [Workbench.program("walden-bench-load")] + arguments(port: port),
            timeout: .seconds(60 + seconds + warmupSeconds))
        // 3: it ran to its end and counted errors, which the caller judges.
        guard output.status == .exited(0) || output.status == .exited(3) else {
            throw TestKitError("the load generator ended with \(output.status): \(output.transcript)")
        }
        return Self.parse(output.output)
    }

    private func arguments(port: Int) -> [String] {
        var arguments = [
            "--port", String(port), "--connections", String(connections), "--depth", String(depth),
            "--protocol", mode.rawValue, "--keys", String(keys), "--first-key", String(firstKey),
            "--distribution", distribution.rawValue, "--zipf-exponent", String(zipfExponent),
            "--seed", String(seed), "--writes", String(writePercent),
            "--rows", String(expectedRows), "--seconds", String(seconds), "--warmup", String(warmupSeconds),
        ]
        if spins { arguments.append("--spin") }
        if idle > 0 { arguments += ["--idle", String(idle)] }
        if let readStatement { arguments += ["--read", readStatement] }
        if let writeStatement { arguments += ["--write", writeStatement] }
        if let initStatement { arguments += ["--init-sql", initStatement] }
        if let requests { arguments += ["--requests", String(requests)] }
        for tree in watched { arguments += ["--watch", "\(tree.name)=\(tree.pid)"] }
        return arguments
    }

    static func parse(_ line: String) -> Figures {
        let marker = " first_error="
        let split = line.firstRange(of: marker)
        var values: [String: Double] = [:]
        for word in line[..<(split?.lowerBound ?? line.endIndex)].split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let value = Double(parts[1]) { values[String(parts[0])] = value }
        }
        let error = split.map { String(line[$0.upperBound...].filter { $0 != "\n" && $0 != "\"" }) }
        return Figures(values: values, firstError: error)
    }
}
