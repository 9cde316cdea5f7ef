import WaldenCore

/// The settings that are Walden's: `walden.consistency`, `walden.cache`, `walden.route` and `walden.max_lag`. To PostgreSQL they are custom settings
/// without meaning, so an application may set them with or without Walden.
struct OwnSettings: Hashable, Sendable {
    static let prefix = "walden."
    private static let consistency = "walden.consistency"
    private static let cache = "walden.cache"
    private static let routing = "walden.route"
    private static let lag = "walden.max_lag"

    /// Nil: the instance's.
    private(set) var level: ConsistencyLevel?
    private(set) var isSwitchedOff = false
    /// Where reads are to run, as far as their level allows.
    private(set) var route = RoutePreference.auto
    /// How old the state may be that a replica shows. Nil: the instance's.
    private(set) var maxLag: Duration?
    /// An assigned value that is none of the known, for the client to be told of.
    private(set) var misunderstood: String?

    init() {}

    /// - Parameter value: The value in force of a setting of this name; nil when it is not set.
    init(_ value: (String) -> String?) {
        // PostgreSQL resets a setting without a default to the empty string.
        if let text = value(Self.consistency), !text.isEmpty {
            level = ConsistencyLevel(name: text)
            if level == nil {
                level = .strict
                misunderstood =
                    "walden.consistency is \"\(text)\", which is none of bounded, session and strict: taken for strict"
            }
        }
        if let text = value(Self.cache), !text.isEmpty {
            let isOn = Self.boolean(text)
            isSwitchedOff = !(isOn ?? false)
            if isOn == nil { misunderstood = "walden.cache is \"\(text)\", which is neither on nor off: taken for off" }
        }
        if let text = value(Self.routing), !text.isEmpty {
            route = RoutePreference(name: text) ?? .primary
            if RoutePreference(name: text) == nil {
                misunderstood =
                    "walden.route is \"\(text)\", which is none of auto, primary and replica: taken for primary"
            }
        }
        if let text = value(Self.lag), !text.isEmpty {
            maxLag = Duration(spelled: text) ?? .zero
            if Duration(spelled: text) == nil {
                misunderstood =
                    "walden.max_lag is \"\(text)\", which is no time such as 500ms or 2s: no replica is young enough"
            }
        }
    }

    /// As PostgreSQL reads a boolean (`utils/adt/bool.c`): also unique beginnings of the words.
    private static func boolean(_ text: String) -> Bool? {
        let word = text.lowercased()
        switch word {
        case "on", "1": return true
        case "off", "of", "0": return false
        default:
            if "true".hasPrefix(word) || "yes".hasPrefix(word) { return true }
            if "false".hasPrefix(word) || "no".hasPrefix(word) { return false }
            return nil
        }
    }
}
