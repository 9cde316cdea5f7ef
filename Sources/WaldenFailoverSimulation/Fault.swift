import WaldenCore

/// What goes wrong.
enum Fault: Hashable {
    /// kill -9 of everything.
    case kill(NodeID)
    case start(NodeID)
    case freeze(NodeID)
    case thaw(NodeID)
    case hangAccept(NodeID, Bool)
    case fillConnections(NodeID, Bool)
    case fillDisk(NodeID, Bool)
    case cut(from: NodeID, to: NodeID)
    case killSentinel
    case switchover(NodeID?)
    /// Somebody sets another rule: so many of all other nodes but one; 0: nobody is waited for.
    case names(required: Int, without: NodeID? = nil)
    /// Somebody promotes a standby and makes it a standby again: its log has left the primary's.
    case estrange(NodeID)
    /// The sentinel's disk takes no record.
    case stallJournal(Bool)
    case pauseReplay(NodeID, Bool)
    case healAll
}

/// Which faults happen when.
struct FaultPlan {
    enum Kind: String, CaseIterable {
        case none, overload, crash, pause, network, sentinel, mixed, switchover, storm
    }

    let kind: Kind
    private(set) var changesRules = false
    private(set) var faults: [(after: Duration, fault: Fault)] = []

    /// Nothing happens that any failover could follow from.
    var isQuiet: Bool { (kind == .none || kind == .overload) && !changesRules }

    init(kind: Kind, nodes: [NodeID], dice: inout Dice) {
        self.kind = kind
        switch kind {
        case .none: return
        case .overload: overload(&dice)
        case .crash: for _ in 0..<Int.random(in: 1...4, using: &dice) { crash(nodes, &dice) }
        case .pause: for _ in 0..<Int.random(in: 1...4, using: &dice) { pause(nodes, &dice) }
        case .network: for _ in 0..<Int.random(in: 1...5, using: &dice) { cut(nodes, &dice) }
        case .sentinel:
            crash([nodes[0]], &dice)
            for _ in 0..<Int.random(in: 1...3, using: &dice) { add(.killSentinel, dice.milliseconds(0...8_000)) }
        case .switchover:
            add(.switchover(nodes.randomElement(using: &dice)), dice.milliseconds(100...3_000))
            if dice.happens(60) { any(nodes, &dice) }
        case .storm: for _ in 0..<Int.random(in: 5...14, using: &dice) { any(nodes, &dice) }
        case .mixed: for _ in 0..<Int.random(in: 2...7, using: &dice) { any(nodes, &dice) }
        }
    }

    /// Somebody sets one rule after the other, about a switchover and the deaths of those concerned.
    mutating func changeRules(of nodes: [NodeID], dice: inout Dice) {
        changesRules = true
        let start = dice.milliseconds(1_000...5_000)
        // The more a commit waits for, the fewer must be severed, and the weaker can be what follows.
        if dice.happens(70) {
            let required = Int.random(in: 1..<max(nodes.count, 2), using: &dice)
            add(.names(required: required), start - .milliseconds(900))
        }
        if dice.happens(80) { add(.switchover(nil), start) }
        for _ in 0..<Int.random(in: 1...5, using: &dice) {
            let required = Int.random(in: 0...2, using: &dice)
            let left = dice.happens(40) ? nodes.dropFirst().randomElement(using: &dice) : nil
            add(.names(required: required, without: left), start + dice.milliseconds(-300...700))
        }
        // One that the sentinel cannot sever, and by which the primary goes on to acknowledge.
        if dice.happens(60), let standby = nodes.dropFirst().randomElement(using: &dice) {
            let before = start - dice.milliseconds(0...400)
            add(.cut(from: Network.sentinel, to: standby), before)
            add(.cut(from: standby, to: Network.sentinel), before)
        }
        if dice.happens(40) { add(.killSentinel, start + dice.milliseconds(0...1_500)) }
        if dice.happens(40) { add(.kill(nodes[0]), start + dice.milliseconds(0...2_500)) }
    }

    private mutating func add(_ fault: Fault, _ after: Duration) { faults.append((after, fault)) }

    private mutating func any(_ nodes: [NodeID], _ dice: inout Dice) {
        switch Int.random(in: 0..<9, using: &dice) {
        case 0, 1: crash(nodes, &dice)
        case 2, 3: pause(nodes, &dice)
        case 4, 5: cut(nodes, &dice)
        case 6: add(.killSentinel, dice.milliseconds(0...8_000))
        default:
            let node = nodes.randomElement(using: &dice) ?? .configuredPrimary
            let at = dice.milliseconds(0...6_000)
            switch Int.random(in: 0..<7, using: &dice) {
            case 0: add(.fillDisk(node, true), at)
            case 1: add(.names(required: Int.random(in: 1...2, using: &dice)), at)
            case 2:
                add(.stallJournal(true), at)
                add(.stallJournal(false), at + dice.milliseconds(100...5_000))
            case 3:
                add(.pauseReplay(node, true), at)
                add(.pauseReplay(node, false), at + dice.milliseconds(500...9_000))
            case 4: if dice.happens(30) { add(.estrange(node), at) }
            case 5:
                add(.fillConnections(node, true), at)
                add(.fillConnections(node, false), at + dice.milliseconds(500...6_000))
            default: add(.switchover(dice.happens(50) ? node : nil), at)
            }
        }
    }

    private mutating func crash(_ nodes: [NodeID], _ dice: inout Dice) {
        // The primary is the likeliest, for it is what matters.
        let node = dice.happens(60) ? nodes[0] : nodes.randomElement(using: &dice) ?? nodes[0]
        let at = dice.milliseconds(100...8_000)
        add(.kill(node), at)
        if dice.happens(60) { add(.start(node), at + dice.milliseconds(100...5_000)) }
    }

    private mutating func pause(_ nodes: [NodeID], _ dice: inout Dice) {
        let node = dice.happens(60) ? nodes[0] : nodes.randomElement(using: &dice) ?? nodes[0]
        let at = dice.milliseconds(100...8_000)
        if dice.happens(20) {
            add(.hangAccept(node, true), at)
            add(.hangAccept(node, false), at + dice.milliseconds(500...4_000))
        } else {
            add(.freeze(node), at)
            // Anywhere in the failover that follows.
            if dice.happens(80) { add(.thaw(node), at + dice.milliseconds(50...5_000)) }
        }
    }

    private mutating func cut(_ nodes: [NodeID], _ dice: inout Dice) {
        let places = nodes + [Network.sentinel]
        guard let one = places.randomElement(using: &dice), let other = places.randomElement(using: &dice), one != other
        else { return }
        let at = dice.milliseconds(100...8_000)
        add(.cut(from: one, to: other), at)
        if dice.happens(60) { add(.cut(from: other, to: one), at) }
    }

    private mutating func overload(_ dice: inout Dice) {
        let at = dice.milliseconds(100...4_000)
        add(.fillConnections(.configuredPrimary, true), at)
        add(.fillConnections(.configuredPrimary, false), at + dice.milliseconds(500...9_000))
    }
}
