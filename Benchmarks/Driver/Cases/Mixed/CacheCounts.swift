import WaldenTestKit

/// What a cache has counted so far, or between two looks.
struct CacheCounts {
    var hits = 0
    /// What became of reads that were no hits, by its name; Walden tells.
    var fates: [String: Int] = [:]

    static func - (later: CacheCounts, earlier: CacheCounts) -> CacheCounts {
        CacheCounts(
            hits: later.hits - earlier.hits,
            fates: later.fates.merging(earlier.fates) { $0 - $1 }.filter { $0.value > 0 })
    }

    static func + (left: CacheCounts, right: CacheCounts) -> CacheCounts {
        CacheCounts(hits: left.hits + right.hits, fates: left.fates.merging(right.fates) { $0 + $1 })
    }

    /// For people: each fate as a share of the reads that were no hits.
    func fates(ofReads reads: Int) -> String {
        let others = max(1, reads - hits)
        let shares = fates.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { name, count in
            "\(shortened(Double(count) * 100 / Double(others))) % \(name)"
        }
        return "\(reads - hits) of \(reads) reads were no hits: " + shares.joined(separator: ", ")
    }
}

extension System {
    /// Nil where nothing is cached.
    func cacheCounts() throws -> CacheCounts? {
        if let walden { return try walden.cacheCounts() }
        guard name == "pgpool" else { return nil }
        let client = try SQLClient("host=127.0.0.1 port=\(port) dbname=postgres user=postgres")
        let shown = try client.query("SHOW pool_cache")
        guard let column = shown.columns.firstIndex(of: "num_cache_hits"),
            let hits = shown.texts.first?[column].flatMap(Int.init)
        else { throw TestKitError("SHOW pool_cache has no num_cache_hits: \(shown.columns)") }
        return CacheCounts(hits: hits)
    }
}

extension WaldenProcess {
    fileprivate func cacheCounts() throws -> CacheCounts {
        let status = try figures()
        let cache = status.json["cache"]
        var counts = CacheCounts(hits: status.hits)
        counts.fates = [
            "behind the session or too old": status.json["stale"].int ?? 0,
            "fetched to be kept": cache["fills_begun"].int ?? 0, "kept": cache["fills_kept"].int ?? 0,
            "answered with another's": status.json["proxy"]["coalesced"].int ?? 0,
        ]
        for (group, word) in [("fills_refused", "not kept"), ("fills_tainted", "changed meanwhile")] {
            for (reason, count) in cache[group].members { counts.fates["\(word): \(reason)"] = count.int }
        }
        // The other bypasses are the writes and the preparation of statements.
        for (reason, count) in status.bypasses where !["write", "not_a_select", "pipeline"].contains(reason) {
            counts.fates["not looked up: \(reason)"] = count.int
        }
        return counts
    }
}
