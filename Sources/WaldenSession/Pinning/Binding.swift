import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

/// What statements leave behind on the server that binds the session to it.
extension SessionMachine {
    /// Adds to the last unit whether a statement may bind the session.
    mutating func noteBinding(_ analysis: StatementAnalysis) {
        guard let pooled else { return }
        units[units.count - 1].draws.formUnion(analysis.draws)
        let mayBind: Bool
        switch analysis.binding {
        case .mayBind: mayBind = true
        case .mayUnbind: mayBind = !pooled.pins.isEmpty
        case .none: mayBind = pooled.pooling.census == .always && !analysis.isHarmless
        }
        if mayBind { units[units.count - 1].isSuspect = true }
    }

    /// Whether a statement may name prepared statements, so that the server must know them by the client's names.
    func namesStatements(_ analysis: StatementAnalysis) -> Bool {
        guard isPooled else { return analysis.effect.mayTouchStatements }
        return analysis.effects.contains { $0 == .preparedStatements || $0 == .opaque }
    }

    /// The same for a unit that is offered; what drops all of them names none.
    func namesStatements(
        _ analysis: StatementAnalysis, command candidate: Candidate, _ input: borrowing RawSpan
    ) -> Bool {
        guard namesStatements(analysis) else { return false }
        return !isPooled || !candidate.deallocatesAll(in: input)
    }

    /// A unit of a pooled session has ended.
    mutating func noteUnitEnded(_ unit: Unit, from old: TransactionStatus) {
        guard let pooled else { return }
        pooled.unitAnswered()
        noteSequences(unit)
        pooled.failure = nil
        let isUndone = unit.failed && old == .idle && unit.effects.statementCount <= 1
        if unit.effects.isOpaque, !isUndone { pooled.pins.insert(.untraceable) }
        if unit.clearsSession { return }
        for change in unit.effects.settings {
            switch change {
            case .set(let name, _, local: false), .reset(let name): pooled.touched.insert(name)
            // Of a custom setting the empty string is left.
            case .set(let name, _, local: true):
                let isKnown =
                    pooled.assigned.customNames.contains(name)
                    && pooled.server?.assigned.customNames.contains(name) ?? false
                if !isKnown, name.contains(".") { pooled.touched.insert(name) }
            case .resetAll, .discardAll: pooled.suspect(.assignments)
            }
        }
        if unit.isSuspect || !pooled.pins.isEmpty && !unit.effects.isReadOnly { pooled.suspect(.everything) }
    }

    /// A command has completed, as `tag` tells, that leaves a statement less, or none, or nothing at all.
    mutating func statementsDropped(tag: String) {
        guard let pooled, let server = pooled.server else { return }
        if tag == "DEALLOCATE" {
            // Of one that SQL knows, the census tells.
            guard !units.isEmpty, let name = units[0].deallocates else { return }
            server.ownStatements.remove(name)
            return statements.forget(name)
        }
        statements.forgetNamed()
        server.statements.removeAll()
        server.ownStatements.removeAll()
        server.censuses.removeAll()
        guard tag == "DISCARD ALL", !units.isEmpty else { return }
        units[0].clearsSession = true
        pooled.usesOwnNames = false
        // Custom settings stay, as empty strings: those that have names are asked for, and for the sake of the others no
        // other session gets the server.
        if pooled.pins.contains(.untraceable) { server.isSpoiled = true }
        let names = server.assigned.customNames.union(pooled.touched).union(settings.assignedNames)
        pooled.pins.formIntersection([.randomSeed])
        server.sequences = .unused
        pooled.suspicion = nil
        pooled.touched = names.filter { $0.contains(".") }
        server.assigned = .none
        pooled.assigned = withApplicationName(.none)
    }
}

extension StatementAnalysis {
    /// Custom settings that the text assigns before any statement of it may read one.
    var promisedSettings: Set<String> {
        var names: Set<String> = []
        for effect in effects {
            switch effect {
            case .transactionControl: continue
            case .settings(let changes):
                for case .set(let name, _, _) in changes where name.contains(".") { names.insert(name) }
            case .readOnly, .writes, .preparedStatements, .temporaryObjects, .opaque: return names
            }
        }
        return names
    }

    /// Nothing but reads and transaction control, without a function that could do more.
    fileprivate var isHarmless: Bool {
        effects.allSatisfy { $0 == .readOnly || $0 == .transactionControl }
    }
}

extension Candidate {
    /// Whether no prepared statement is left when it has succeeded.
    func dropsStatements(_ analysis: StatementAnalysis, in input: borrowing RawSpan) -> Bool {
        switch analysis.effect {
        case .settings(let changes): changes.contains(.discardAll)
        case .preparedStatements: deallocatesAll(in: input)
        case .readOnly, .writes, .transactionControl, .temporaryObjects, .opaque: false
        }
    }

    /// Whether its text is `DEALLOCATE [PREPARE] ALL` and no more.
    fileprivate func deallocatesAll(in input: borrowing RawSpan) -> Bool {
        switch source {
        case .query(let text): return DeallocateAll.matches(text, in: input)
        case .execution(let statement, _):
            let message = statement.parseMessage
            return DeallocateAll.matches(statement.text, in: message.span.bytes)
        }
    }
}

/// `DEALLOCATE [PREPARE] ALL`, read off the bytes.
private enum DeallocateAll {
    static func matches(_ text: Range<Int>, in bytes: borrowing RawSpan) -> Bool {
        guard text.count <= TransactionCommand.textLimit else { return false }
        var words = CommandWords(text)
        guard words.skip("deallocate", in: bytes) else { return false }
        _ = words.skip("prepare", in: bytes)
        return words.skip("all", in: bytes) && words.isAtEnd(in: bytes)
    }
}

/// The functions that clients call by FunctionCall to work with large objects (libpq `fe-lobj.c`): they leave nothing in
/// the session but descriptors, which end with the transaction (PostgreSQL `catalog/pg_proc.dat`).
enum LargeObjectFunctions {
    private static let oids: Set<UInt32> = [715, 764, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172]

    /// - Parameter input: The beginning of a FunctionCall.
    static func isCalled(by input: borrowing RawSpan) -> Bool {
        var cursor = ByteCursor(at: MessageHeader.byteCount)
        guard let oid = try? cursor.read(UInt32.self, in: input) else { return false }
        return oids.contains(oid)
    }
}
