import WaldenCore

/// Reads values as people write them.
enum Quantity {
    /// Why a text is not the quantity asked for.
    struct Malformed: Error {
        let reason: String
    }

    static func integer(_ text: String, in range: ClosedRange<Int>) throws(Malformed) -> Int {
        guard let value = Int(text) else { throw Malformed(reason: "\"\(text)\" is not a whole number") }
        guard range.contains(value) else {
            throw Malformed(reason: "\(value) is not within \(range.lowerBound) … \(range.upperBound)")
        }
        return value
    }

    static func boolean(_ text: String) throws(Malformed) -> Bool {
        switch text.lowercased() {
        case "true", "on", "yes", "1": return true
        case "false", "off", "no", "0": return false
        default: throw Malformed(reason: "\"\(text)\" is neither true nor false")
        }
    }

    private static let byteUnits = [
        "": 1, "b": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30,
        "tb": 1 << 40, "tib": 1 << 40,
    ]

    /// `64MB`, `1GiB`, `4096`. As in PostgreSQL all units are powers of 1,024.
    static func bytes(_ text: String, in range: ClosedRange<Int>) throws(Malformed) -> Int {
        let (number, unit) = try split(text)
        guard let factor = byteUnits[unit.lowercased()] else {
            throw Malformed(reason: "\"\(unit)\" is no unit of bytes: B, kB, MB, GB, TB")
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, range.contains(value) else {
            throw Malformed(reason: "\(text) is not within \(describe(bytes: range))")
        }
        return value
    }

    /// `250ms`, `2s`, `5min`, `1h`.
    static func duration(_ text: String, in range: ClosedRange<Duration>) throws(Malformed) -> Duration {
        let (number, unit) = try split(text)
        guard let value = Duration(number, unit: unit) else {
            throw Malformed(reason: "\"\(text)\" has no unit of time: us, ms, s, min, h")
        }
        guard range.contains(value) else {
            throw Malformed(reason: "\(text) is not within \(describe(range))")
        }
        return value
    }

    /// `host:port`, `[::1]:port`, or `unix:/path`.
    static func address(_ text: String) throws(Malformed) -> Endpoint {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // sockaddr_un has room for 108 bytes with the final zero.
            guard path.hasPrefix("/") else { throw Malformed(reason: "\"\(text)\" names no absolute path") }
            guard path.utf8.count < 108 else { throw Malformed(reason: "the socket's path is longer than 107 bytes") }
            return .unix(path: path)
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { throw Malformed(reason: "\"\(text)\" is not host:port") }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw Malformed(reason: "\"\(text)\" names no host; 0.0.0.0 means every address") }
        return .tcp(host: String(host), port: port)
    }

    static func oneOf(_ text: String, _ choices: [String]) throws(Malformed) -> String {
        guard choices.contains(text) else {
            throw Malformed(reason: "\"\(text)\" is none of \(choices.joined(separator: ", "))")
        }
        return text
    }

    static func describe(bytes range: ClosedRange<Int>) -> String {
        "\(describe(bytes: range.lowerBound)) … \(describe(bytes: range.upperBound))"
    }

    static func describe(_ range: ClosedRange<Duration>) -> String {
        "\(describe(range.lowerBound)) … \(describe(range.upperBound))"
    }

    static func describe(bytes: Int) -> String {
        for (unit, factor) in [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)]
        where bytes >= factor && bytes % factor == 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)"
    }

    /// To the microsecond, the finest unit that is read.
    static func describe(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = attoseconds / 1_000_000_000_000
        if microseconds % 1_000 != 0 { return "\(seconds * 1_000_000 + microseconds)us" }
        if microseconds != 0 { return "\(seconds * 1_000 + microseconds / 1_000)ms" }
        if seconds >= 3_600, seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
        if seconds >= 60, seconds % 60 == 0 { return "\(seconds / 60)min" }
        return "\(seconds)s"
    }

    private static func split(_ text: String) throws(Malformed) -> (number: Int, unit: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= 1 << 50 else {
            throw Malformed(reason: "\"\(text)\" does not begin with a number")
        }
        return (number, text.dropFirst(digits.count).trimmed)
    }
}

extension Substring {
    var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
