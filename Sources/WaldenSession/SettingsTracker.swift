import WaldenDependency

/// What a session's results depend on besides the statement: who it is and which settings it changed.
///
/// Governs the session part of the cache key. Changes are read off the statements' texts; the server's replies say
/// whether they took effect. Whatever cannot be followed exactly makes the session *opaque*: it bypasses the cache
/// until `DISCARD ALL`, which resets the role too (`RESET ALL` does not: PostgreSQL `guc.c`, `GUC_NO_RESET_ALL`).
///
/// Called by the session machine for each startup packet, finished unit, transaction end and ParameterStatus. Never
/// reads message bytes.
struct SettingsTracker: Sendable {
    /// Why the session bypasses the cache.
    enum Obstacle: Hashable, Sendable {
        case opaque
        case temporaryObjects
    }

    private(set) var obstacle: Obstacle?
    /// Rises whenever `fingerprint` may have changed.
    private(set) var revision: UInt64 = 0

    /// Rises whenever the session's default isolation level may have changed.
    private(set) var isolationRevision: UInt64 = 0
    /// What the server last said the session has where it assigned nothing.
    private(set) var defaults: SessionDefaults? { didSet { context = readContext() } }
    /// Rises whenever an assignment is taken back, so that a value shows which `defaults` may not know.
    private(set) var resets: UInt64 = 0
    /// Walden's own settings as they are in force now.
    private(set) var own = OwnSettings()
    /// What the client is to be told of its own assignments.
    private(set) var remark: String?

    let user: String
    private let isOfFollowedDatabase: Bool
    private let database: String
    private let startup: [String: String]
    private let isStartupUnderstood: Bool
    /// Committed assignments, over `startup`; a reset removes them, for the startup packet's values are the defaults.
    private var overlay: [String: String] = [:] { didSet { settingsChanged() } }
    /// Assignments of the transaction in progress, in order.
    private var uncommitted: [SettingChange] = []
    /// What the server reported of settings that shape results (protocol chapter, asynchronous operations).
    private var reported: [String: String] = [:] { didSet { settingsChanged() } }
    /// What the meaning of this session's statements depends on. Every statement asks for it; it changes rarely.
    private(set) var context = SessionContext(searchPath: nil, loginUser: "", user: "")
    /// What constants in its statements are read by.
    private(set) var constantReading = ConstantReading(values: [])

    /// - Parameters:
    ///   - parameters: name and value of the startup packet, in order.
    ///   - isOfFollowedDatabase: The session is of the database whose catalog is read.
    init(parameters: [(name: String, value: String)], isOfFollowedDatabase: Bool = true) {
        self.isOfFollowedDatabase = isOfFollowedDatabase
        var settings: [String: String] = [:]
        var user = ""
        var database = ""
        var understood = true
        for (name, value) in parameters {
            switch name.lowercased() {
            case "user": user = value
            case "database": database = value
            case "application_name", "replication": break
            case "options":
                if let assignments = StartupOptions.assignments(in: value) {
                    for (name, value) in assignments { settings[name] = value }
                } else {
                    understood = false
                }
            default: settings[name.lowercased()] = value
            }
        }
        self.user = user
        self.database = database.isEmpty ? user : database
        self.startup = settings
        isStartupUnderstood = understood
        if !understood { obstacle = .opaque }
        context = readContext()
        readOwnSettings()
    }

    /// Statement texts are parsed as UTF-8; in any other encoding the session bypasses the cache.
    var isUTF8: Bool { reported["client_encoding"] == "UTF8" }

    private func value(of name: String) -> String? {
        overlay[name] ?? startup[name]
    }

    /// Whether notices that arise as the session starts reach the client.
    var startupShowsNotices: Bool {
        guard let level = startup["client_min_messages"]?.lowercased() else { return true }
        return level != "warning" && level != "error"
    }

    /// Equal bytes: equal statements have equal results in equal database states.
    var fingerprint: [UInt8] {
        var parts = [database, user]
        let settings = startup.merging(overlay) { _, assigned in assigned }
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) where !name.hasPrefix(OwnSettings.prefix) {
            parts += [name, value]
        }
        parts.append("\u{1}defaults")
        if let defaults {
            parts.append(String(decoding: defaults.login, as: UTF8.self))
            for name in SessionDefaults.names where overlay[name] == nil { parts += [name, defaults[name] ?? ""] }
        }
        parts.append("\u{1}reported")
        for (name, value) in reported.sorted(by: { $0.key < $1.key }) { parts += [name, value] }
        return Array(parts.joined(separator: "\u{0}").utf8)
    }

    // MARK: Events

    /// The server told a parameter's value.
    mutating func parameterReported(name: String, value: String) {
        guard Self.shapesResults.contains(name) else { return }
        reported[name] = value
        revision &+= 1
    }

    /// The server told what the session has where it assigned nothing.
    mutating func learn(_ answer: SessionDefaults) {
        defaults = answer
        revision &+= 1
    }

    /// A unit ended with ReadyForQuery.
    ///
    /// - Parameters:
    ///   - failed: The unit had an ErrorResponse.
    ///   - crossedTransactionEnd: A COMMIT or ROLLBACK completed within the unit, so that the order of its
    ///     assignments relative to it is not known.
    ///   - rolledBack: A ROLLBACK completed within the unit, of the transaction or to a savepoint.
    ///   - isIdle: No transaction is open now.
    mutating func unitEnded(
        _ effects: UnitEffects, failed: Bool, crossedTransactionEnd: Bool, rolledBack: Bool, isIdle: Bool
    ) {
        if effects.isOpaque { becomeOpaque() }
        if effects.createsTemporaryObjects, obstacle == nil { obstacle = .temporaryObjects }
        if rolledBack, !uncommitted.isEmpty {
            // Back to a savepoint undoes some of the assignments only: which, is not followed.
            if !isIdle { becomeOpaque() }
            uncommitted.removeAll()
        }
        if !effects.settings.isEmpty {
            // Part of a failed or transaction-crossing unit may have been committed: which part, nobody tells.
            if failed && effects.statementCount > 1 || crossedTransactionEnd {
                becomeOpaque()
            } else if !failed {
                uncommitted += effects.settings
            }
        }
        if isIdle, !uncommitted.isEmpty {
            if failed { uncommitted.removeAll() } else { transactionCommitted(afterRollback: false) }
        }
        readOwnSettings()
    }

    /// Hands out what the client is to be told, once.
    mutating func takeRemark() -> String? {
        defer { remark = nil }
        return remark
    }

    /// Assignments to them are in force at once, also within a transaction: they change no result.
    private mutating func readOwnSettings() {
        let now = OwnSettings { name in
            uncommitted.reduce(value(of: name)) { value, change in
                switch change {
                case .set(name, let assigned, _): assigned
                case .reset(name), .resetAll, .discardAll: startup[name]
                case .set, .reset: value
                }
            }
        }
        if let misunderstood = now.misunderstood, misunderstood != own.misunderstood { remark = misunderstood }
        own = now
    }

    /// - Parameter afterRollback: A ROLLBACK completed in the same unit before, perhaps to a savepoint.
    mutating func transactionCommitted(afterRollback: Bool) {
        if afterRollback, !uncommitted.isEmpty { becomeOpaque() }
        for change in uncommitted { apply(change) }
        uncommitted.removeAll()
    }

    /// Whether the session has an assignment of its own, committed, of this setting.
    func isAssigned(_ name: String) -> Bool { overlay[name] != nil }

    /// The transaction in progress has assigned something.
    var hasUncommitted: Bool { !uncommitted.isEmpty }

    /// Names that it has assigned.
    var assignedNames: Set<String> { Set(overlay.keys) }

    /// The server has told all that the session has assigned, in canonical form.
    ///
    /// - Parameter isComplete: There is nothing else that shapes results.
    mutating func learnAssigned(_ values: [String: [UInt8]], isComplete: Bool) {
        let told = values.filter { $0.key != "application_name" }.mapValues { String(decoding: $0, as: UTF8.self) }
        if isComplete, obstacle == .opaque, isStartupUnderstood { obstacle = nil }
        guard told != overlay else { return }
        if told[Self.isolationSetting] != overlay[Self.isolationSetting] { isolationRevision &+= 1 }
        // What is missing now shows its default again.
        if overlay.keys.contains(where: { told[$0] == nil }) { resets &+= 1 }
        overlay = told
        revision &+= 1
        readOwnSettings()
    }

    /// What a statement means may depend on what only the session's server has.
    var hasUnseenObjects: Bool { obstacle != nil }

    mutating func temporaryObjectsGone() {
        if obstacle == .temporaryObjects { obstacle = nil }
    }

    /// The server that serves the session now has other defaults, or none that are known.
    mutating func forgetDefaults() {
        guard defaults != nil else { return }
        defaults = nil
        revision &+= 1
    }

    mutating func becomeOpaque() {
        obstacle = .opaque
    }

    private mutating func apply(_ change: SettingChange) {
        revision &+= 1
        switch change {
        case .set(_, _, local: true): break
        case .set(let name, let value, local: false):
            overlay[name] = value
            if name == Self.isolationSetting { isolationRevision &+= 1 }
        case .reset(let name):
            overlay[name] = nil
            resets &+= 1
            if name == Self.isolationSetting { isolationRevision &+= 1 }
        case .resetAll:
            isolationRevision &+= 1
            resets &+= 1
            overlay = overlay.filter { Self.survivesResetAll.contains($0.key) }
        case .discardAll:
            overlay.removeAll()
            obstacle = nil
            isolationRevision &+= 1
            resets &+= 1
        }
    }

    private static let isolationSetting = "default_transaction_isolation"

    private static let survivesResetAll: Set<String> = ["role", "session_authorization"]
    private static let shapesResults: Set<String> = [
        "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "session_authorization", "is_superuser",
        "standard_conforming_strings", "search_path", "default_transaction_read_only",
    ]
}

/// What the statements of one unit do to their session once the unit succeeds.
struct UnitEffects: Hashable, Sendable {
    private(set) var writes = false
    private(set) var isOpaque = false
    private(set) var createsTemporaryObjects = false
    private(set) var isReadOnly = true
    private(set) var settings: [SettingChange] = []
    private(set) var statementCount = 0
    /// Nothing but transaction control and assignments, which show no data.
    private(set) var isControlOnly = true
    /// Some statement is transaction control.
    private(set) var controlsTransaction = false

    /// Every assignment is one of Walden's own settings, which change no result.
    var assignsOwnSettingsOnly: Bool { settings.allSatisfy(\.isOwn) }

    /// - Parameter mayExecuteSettings: A statement prepared by protocol changes settings: EXECUTE may name it.
    mutating func add(_ analysis: StatementAnalysis, mayExecuteSettings: Bool) {
        for effect in analysis.effects {
            add(effect == .preparedStatements && mayExecuteSettings ? .opaque : effect)
        }
    }

    mutating func add(_ effect: SessionEffect) {
        statementCount += 1
        switch effect {
        case .transactionControl, .settings: break
        case .readOnly, .writes, .preparedStatements, .temporaryObjects, .opaque: isControlOnly = false
        }
        if effect != .readOnly { isReadOnly = false }
        if effect == .transactionControl { controlsTransaction = true }
        switch effect {
        case .readOnly, .transactionControl: break
        case .writes, .preparedStatements: writes = true
        case .settings(let changes): settings += changes
        case .temporaryObjects:
            createsTemporaryObjects = true
            writes = true
        case .opaque:
            isOpaque = true
            writes = true
        }
    }
}

extension SettingChange {
    /// Of a setting that is Walden's.
    var isOwn: Bool {
        switch self {
        case .set(let name, _, _), .reset(let name): name.hasPrefix(OwnSettings.prefix)
        case .resetAll, .discardAll: false
        }
    }
}

extension SettingsTracker {
    private mutating func settingsChanged() {
        context = readContext()
        constantReading = ConstantReading(
            values: ConstantReading.reported.map { reported[$0] ?? "" }
                + ConstantReading.assigned.map { value(of: $0) ?? "" })
    }

    private func readContext() -> SessionContext {
        let sessionUser = reported["session_authorization"] ?? user
        return SessionContext(
            searchPath: overlay["search_path"] ?? defaults?["search_path"] ?? startup["search_path"], loginUser: user,
            user: assignedRole ?? sessionUser,
            standardConformingStrings: reported["standard_conforming_strings"] != "off",
            assignedSettings: Set(overlay.keys.filter { $0.contains(".") }.map { $0.lowercased() }),
            isOfFollowedDatabase: isOfFollowedDatabase)
    }

    /// The role of SET ROLE, without the quotes of its source form, or else the one that the session began with.
    private var assignedRole: String? {
        if overlay["role"] == nil, let role = defaults?["role"] { return role == "none" ? nil : role }
        guard let role = value(of: "role"), role != "none" else { return nil }
        let quotes: [Character] = ["'", "\""]
        guard role.count >= 2, let first = role.first, quotes.contains(first), role.last == first else { return role }
        return String(role.dropFirst().dropLast())
    }
}
