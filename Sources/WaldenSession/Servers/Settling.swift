import DequeModule
import WaldenCore
import WaldenWire

/// What happens between a session's last answer and the moment at which another may have its server.
extension SessionMachine {
    /// To be asked whenever a pooled session's server has answered and all that the client has sent has been dealt with.
    public mutating func settle() -> Settlement {
        if nameTransaction() { return .ask }
        guard let state = pooled, let server = state.server, state.awaited == nil, state.doubt == nil, isAtRest else {
            return .keep
        }
        if server.isSpoiled { return .release }
        takeReportedSettings()
        if let scope = pooled?.suspicion {
            takeCensus(scope, on: server)
            return .ask
        }
        if let messages = cleaning(of: server) {
            push(.cleaning, messages)
            return .ask
        }
        return (pooled?.pins.isEmpty ?? true) && state.pooling.mode == .transaction ? .release : .keep
    }

    // MARK: Settings

    /// Assignments to settings that the server reports need no question: it has told the values.
    private mutating func takeReportedSettings() {
        guard let state = pooled, !state.touched.isEmpty, !state.isSuspect, let server = state.server else { return }
        let touched = state.touched
        state.touched.removeAll()
        let reported = Dictionary(
            server.reported.values.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        var assigned = server.assigned
        for name in touched {
            guard settings.obstacle != .opaque, let value = reported[name] else {
                state.touched = touched
                pooled?.suspect(.assignments)
                return
            }
            assigned = assigned.assigning(name, settings.isAssigned(name) ? Array(value.utf8) : nil)
        }
        server.assigned = assigned
        pooled?.assigned = withApplicationName(assigned)
    }

    /// A client that resets its `application_name` gets that of its startup packet, which its server was not told.
    func withApplicationName(_ assigned: AssignedSettings) -> AssignedSettings {
        guard let name = pooled?.applicationName, assigned.values["application_name"] == nil else { return assigned }
        return assigned.assigning("application_name", name)
    }

    // MARK: Census

    private mutating func takeCensus(_ scope: Census.Scope, on server: ServerSession) {
        let known = Set(server.assigned.values.keys).union(settings.assignedNames).union(pooled?.touched ?? [])
        let custom = known.filter { $0.contains(".") }.sorted()
        pooled?.census = CensusReading(scope: scope)
        push(.census, [])
        var messages: [UInt8] = []
        // While SQL may list them, no statement of Walden's stays.
        if custom.isEmpty, renames {
            if server.censuses.insert(scope).inserted {
                Parse(name: Census.name(scope), query: Census.question(scope)).encode(into: &messages)
                units[units.count - 1].pendingParses = [.init(statement: nil, isInjected: true)]
            }
            Bind(statement: Census.name(scope)).encode(into: &messages)
            Execute().encode(into: &messages)
        } else {
            let name = "walden census of custom settings"
            Parse(name: name, query: Census.question(scope, custom: custom)).encode(into: &messages)
            units[units.count - 1].pendingParses = [.init(statement: nil, isInjected: true)]
            Bind(statement: name).encode(into: &messages)
            Execute().encode(into: &messages)
            Close(.statement, name: name).encode(into: &messages)
            units[units.count - 1].pendingCloses = [.init(subject: .hidden(nil), parsesBefore: 1)]
        }
        injection += messages + FrontendTag.syncMessage
    }

    /// A row of the census has come.
    mutating func censusAnswered(_ row: [[UInt8]?]) {
        if pooled?.census.add(row) == false { units[0].failed = true }
    }

    /// The census is over.
    mutating func censusEnded(_ unit: Unit) {
        pooled?.awaited = nil
        guard let state = pooled, let server = state.server else { return }
        guard !unit.failed, state.census.isComplete else { return censusFailed(server) }
        pooled?.suspicion = nil
        pooled?.touched.removeAll()
        pooled?.censusFailures = 0
        let census = state.census
        var values = census.settings
        let login = Array(settings.user.utf8)
        if let authorization = census.authorization, authorization != login {
            values["session_authorization"] = authorization
        }
        if let role = census.role, role != Array("none".utf8) || settings.isAssigned("role") { values["role"] = role }
        let assigned = AssignedSettings(values)
        server.assigned = assigned.isEqual(to: state.assigned) ? state.assigned : assigned
        pooled?.assigned = withApplicationName(server.assigned)
        settings.learnAssigned(values, isComplete: !state.pins.contains(.untraceable))
        takePins(of: census, server)
    }

    private mutating func takePins(of census: CensusReading, _ server: ServerSession) {
        guard let old = pooled?.pins else { return }
        var pins = census.pins.union(old.intersection(Pin.seenByNoCensus))
        if census.scope == .assignments { pins.formUnion(old.intersection([.advisoryLock, .temporaryObject])) }
        pooled?.pins = pins
        if !pins.contains(.temporaryObject), census.scope == .everything { settings.temporaryObjectsGone() }
        if pooled?.usesOwnNames ?? false {
            server.ownStatements = census.statements
            statements.keep(only: census.statements)
        }
        // Something has dropped statements that Walden counts on.
        if census.renamed != server.statements.count { server.isSpoiled = true }
    }

    private mutating func censusFailed(_ server: ServerSession) {
        server.censuses.removeAll()
        let failures = (pooled?.censusFailures ?? 0) + 1
        pooled?.censusFailures = failures
        guard failures > 1 else { return }
        pooled?.censusFailures = 0
        pooled?.suspicion = nil
        // What they are now, nobody will tell; asked again for their sake, the answer would fail again.
        pooled?.touched.removeAll()
        pooled?.pins.insert(.untraceable)
    }

    // MARK: Cleaning

    /// Closes what must not stay: statements under the client's own names, and those beyond the limit.
    private mutating func cleaning(of server: ServerSession) -> [UInt8]? {
        var messages: [UInt8] = []
        let hasOwn = !server.ownStatements.isEmpty || pooled?.usesOwnNames ?? false
        if hasOwn, pooled?.pins.isDisjoint(with: [.preparedStatement, .untraceable]) ?? true {
            for name in server.ownStatements.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                RenamedMessage.appendClose(of: name, to: &messages)
            }
            server.ownStatements.removeAll()
            pooled?.usesOwnNames = false
            statements.leftServer()
        }
        for serial in server.statements.surplus() {
            RenamedMessage.appendClose(of: ServerStatements.name(serial), to: &messages)
            server.statements.left(serial)
        }
        return messages.isEmpty ? nil : messages + FrontendTag.syncMessage
    }

    /// A hidden unit of a pooled session ended. The error that ends the session, when there is no way on.
    mutating func pooledHiddenUnitEnded(_ unit: Unit) -> ErrorResponse? {
        switch unit.purpose {
        case .replay: return replayEnded(unit)
        case .renaming: return renamingEnded(unit)
        case .census: censusEnded(unit)
        case .cleaning, .sequences:
            pooled?.awaited = nil
            if unit.failed { pooled?.server?.isSpoiled = true }
        case .comparison(let statement): namedCompared(statement, unit)
        // Its transaction has failed of it.
        case .naming: if unit.failed, status == .failed { pooled?.failure = unit.error }
        case .preparation, .begin, .isolationInquiry, .defaultsInquiry, .verdict: break
        }
        return nil
    }
}
