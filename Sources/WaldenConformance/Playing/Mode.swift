/// A way of running Walden under which every script has to be answered as PostgreSQL answers it.
struct Mode: Sendable {
    let name: String
    /// The configuration file.
    var file = ""
    /// How often each script is played: what can be cached is cached from the second play on.
    var plays = 1
    var hasCache = true
    /// How many server sessions the pool has; nil: as many as there are clients.
    var servers: Int?
    /// Whether other clients use the pool's server sessions between the steps.
    var isDirtied = false

    static let all = [
        Mode(name: "relay", plays: 3),
        Mode(name: "uncached", file: "cache: {enabled: false}\n", hasCache: false),
    ]

    /// Whether the script can be played: it does not hold more server sessions than there are.
    func admits(_ script: Script) -> Bool {
        script.servers <= servers ?? .max
    }
}
