/// What is wanted of each case, always against another system in the same run.
enum RequestGoals {
    static func judge(_ requestCase: RequestCase, in report: inout Report) {
        let name = requestCase.name
        let load = requestCase.load
        switch name {
        case "mixed-zipf":
            return
        case "large-result":
            report.compare(
                case: name, system: "walden-hit", with: "floor", metric: "throughput", goal: .atLeast(0.7))
        case _ where load.depth > 1:
            report.compare(case: name, system: "walden-hit", with: "floor", metric: "cpu", goal: .atMost(3))
        case _ where load.connections == 1:
            report.compare(case: name, system: "walden-hit", with: "floor", metric: "p50", goal: .atMost(1.25))
        default:
            judgeManyConnections(name, load, in: &report)
        }
    }

    private static func judgeManyConnections(_ name: String, _ load: Load, in report: inout Report) {
        report.compare(case: name, system: "walden-hit", with: "floor", metric: "cpu", goal: .atMost(1.6))
        if load.mode != .extended {
            report.compare(
                case: name, system: "walden-hit", with: "pgpool", metric: "throughput",
                goal: .atLeast(load.mode == .simple ? 2 : 9))
        }
        if load.mode == .prepared {
            report.compare(
                case: name, system: "walden-hit", with: "postgresql", metric: "throughput", goal: .atLeast(2.5))
        }
        let pooler = load.mode == .prepared ? "pgbouncer-session" : "pgbouncer"
        for walden in ["walden-off", "walden-pooled"] {
            report.compare(case: name, system: walden, with: pooler, metric: "cpu", goal: .atMost(1.1))
            report.compare(case: name, system: walden, with: pooler, metric: "throughput", goal: .atLeast(0.9))
        }
    }
}
