import WaldenTestKit

/// Scenes 6 to 8: another cluster, in which one of two standbys must confirm each commit, loses its primary.
struct Succession {
    let truth: Truth

    func play() throws {
        Show.scene(6, "kill -9 of the primary, while 4 clients write and 8 read")
        var configuration = SuccessionLoad.configuration
        configuration.hasAgents = true
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        try stack.cluster.primary.kill()
        try load.progress()
        let killed = try load.judge()
        tell(killed)
        Show.line("writes that were under way end with 08007: nobody knows, and Walden does not guess")

        Show.scene(7, "The old primary follows the new one")
        let started = ContinuousClock.now
        try stack.awaitStandbys(2)
        Show.line(
            "rewound by its agent; it was ready \(Show.milliseconds(ContinuousClock.now - started)) after scene 6")

        Show.scene(8, "A planned switchover, back to it, under the same load")
        try eventually("the sentinel has looked at it", timeout: .seconds(30)) {
            try stack.order(["switchover", "--to", FailoverStack.names[0], "--dry-run"]).status.isSuccess
        }
        let planned = try SuccessionLoad(stack, round: 1)
        try planned.progress()
        let order = try stack.order(["switchover", "--to", FailoverStack.names[0]])
        Show.line("$ walden switchover --to \(FailoverStack.names[0])")
        Show.line(order.output.trimmed)
        guard order.status.isSuccess else { throw TestKitError(order.transcript) }
        try planned.progress()
        tell(try planned.judge())
    }

    private func tell(_ verdict: SuccessionLoad.Verdict) {
        Show.row("longest time without a write", Show.milliseconds(verdict.outage))
        Show.row("acknowledged", "\(verdict.writes) writes", "\(verdict.reads) reads")
        Show.row("errors", "\(verdict.writeErrors.count) writes", "\(verdict.readErrors.count) reads")
        Show.row("lost, done twice", "\(verdict.lost.count)", "\(verdict.twice.count)")
        truth.judge(verdict.lost.isEmpty && verdict.twice.isEmpty, "an acknowledged write")
        truth.judge(verdict.backwards.isEmpty, "a read of a session that had seen newer")
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
