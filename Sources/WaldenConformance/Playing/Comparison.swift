import WaldenTestKit

/// Plays a script with PostgreSQL, then in a mode through Walden, and tells what differs.
struct Comparison {
    let stage: Stage
    let isBrief: Bool

    /// How PostgreSQL answers; nil when it is not asked. Played twice: what PostgreSQL does not repeat itself cannot be
    /// compared with.
    func reference(_ script: Script) throws -> Trace? {
        guard script.alone == nil else { return nil }
        let first = try play(script, port: stage.cluster.primary.port)
        if let failure = first.failure {
            throw TestKitError("PostgreSQL answers otherwise than the script expects: \(failure)\n\(first.transcript)")
        }
        if isBrief { return first }
        let second = try play(script, port: stage.cluster.primary.port)
        if let difference = second.difference(from: first, script.masks) {
            throw TestKitError("PostgreSQL does not repeat itself: \(difference)")
        }
        return first
    }

    /// What differs from the reference in this mode; nil when nothing does.
    func difference(_ script: Script, from reference: Trace?, in mode: Mode, _ dirtier: Dirtier?) throws -> String? {
        let walden = try stage.walden(mode)
        let stack = WaldenStack(cluster: stage.cluster, walden: walden)
        let masks = mode.isPooled ? script.masks.union([.statusOrder]) : script.masks
        func difference() throws -> String? {
            let trace = try play(script, port: walden.port, dirtier) {
                if mode.hasCache { try stack.waitUntilApplied() }
            }
            guard let reference else { return trace.failure }
            return trace.difference(from: reference, masks)
        }
        for number in 1...(isBrief ? min(mode.plays, 2) : mode.plays) {
            if let difference = try difference() { return "play \(number): \(difference)" }
        }
        guard script.isWarmed, mode.hasCache else { return nil }
        return try awaitValue("a play is answered from memory in part") { () -> String?? in
            let before = try walden.figures().hits
            if let difference = try difference() { return "from memory: \(difference)" }
            return try walden.figures().hits > before ? .some(nil) : nil
        }
    }

    private func play(
        _ script: Script, port: Int, _ dirtier: Dirtier? = nil, administered: @escaping () throws -> Void = {}
    ) throws -> Trace {
        try Player(
            script, port: port, admin: stage.admin, interlude: { try dirtier?.dirty() }, administered: administered
        ).play()
    }
}
