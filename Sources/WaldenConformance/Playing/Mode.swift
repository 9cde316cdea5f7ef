/// A way of running Walden under which every script has to be answered as PostgreSQL answers it.
struct Mode: Sendable {
    let name: String
    /// The configuration file.
    var file = ""
    /// How often each script is played: what can be cached is cached from the second play on.
    var plays = 1
    var hasCache = true
    /// Whether Walden authenticates clients itself and lends them server sessions.
    var isPooled = false
    /// How many server sessions the pool has; nil: as many as there are clients.
    var servers: Int?
    /// Whether other clients use the pool's server sessions between the steps.
    var isDirtied = false

    /// As delivered.
    static let relay = Mode(name: "relay", plays: 3)

    static let all = [
        relay,
        Mode(name: "uncached", file: "cache: {enabled: false}\n", hasCache: false),
        // Walden authenticates, and each client has a server session that Walden logged in.
        Mode(name: "trust", file: "auth: {method: trust}\n", isPooled: true),
        Mode(name: "pooled", file: "auth: {method: trust}\npool: {mode: auto}\n", plays: 2, isPooled: true),
        Mode(
            name: "pool-of-one", file: "auth: {method: trust}\npool: {mode: auto, size: 1}\n", plays: 2, isPooled: true,
            servers: 1, isDirtied: true),
        Mode(
            name: "pool-of-three", file: "auth: {method: trust}\npool: {mode: auto, size: 3}\n", isPooled: true,
            servers: 3, isDirtied: true),
    ]

    /// Whether the script can be played: it needs no server session of its own, nor more of them than there are.
    func admits(_ script: Script) -> Bool {
        script.servers <= servers ?? .max && !(isPooled && script.dedicated != nil)
    }
}
