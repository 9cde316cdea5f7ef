import WaldenWire

/// The statements that bring a server from one session's settings to another's.
struct SettingsReplay {
    private var script: [UInt8] = []

    var isEmpty: Bool { script.isEmpty }

    /// One Query is one transaction: all of it takes effect, or nothing.
    var message: [UInt8] {
        var message: [UInt8] = []
        MessageWriter.append(tag: FrontendTag.query.rawValue, into: &message) { body in
            body += script
            body.append(0)
        }
        return message
    }

    /// Text is sent in the encoding in force, so a change of it goes first, by itself, when other values are not ASCII.
    static func isSplit(from old: AssignedSettings, to new: AssignedSettings) -> Bool {
        guard old.values["client_encoding"] != new.values["client_encoding"] else { return false }
        return new.values.contains { old.values[$0.key] != $0.value && $0.value.contains { $0 >= 0x80 } }
    }

    init(from old: AssignedSettings, to new: AssignedSettings) {
        let onlyEncoding = Self.isSplit(from: old, to: new)
        let names = Set(old.values.keys).union(new.values.keys).filter { name in
            old.values[name] != new.values[name] && (!onlyEncoding || name == "client_encoding")
        }
        guard !names.isEmpty else { return }
        // Who the session is comes first when it is taken back, and last when it is given: what else is assigned may
        // need the rights of the role that logged in.
        for name in Self.identities.reversed() where old.values[name] != nil { reset(name) }
        let others = names.filter { !Self.identities.contains($0) }.sorted()
        for name in others {
            if let value = new.values[name] {
                assign(name, value)
            } else if !name.contains(".") || old.values[name] != [] {
                // A custom setting that is reset is the empty string, so there is nothing to take back from that.
                reset(name)
            }
        }
        for name in Self.identities {
            if let value = new.values[name] { assign(name, value) }
        }
    }

    private static let identities = ["session_authorization", "role"]

    private mutating func reset(_ name: String) {
        // Each part of a dotted name is an identifier of its own.
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { part in
            "\"" + part.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
        script += Array("RESET \(parts.joined(separator: "."));".utf8)
    }

    private mutating func assign(_ name: String, _ value: [UInt8]) {
        script += Array("SELECT pg_catalog.set_config(\(Census.literal(name)), ".utf8)
        script += Census.literal(value)
        script += Array(", false);".utf8)
    }
}
