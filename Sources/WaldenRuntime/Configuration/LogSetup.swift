import Glibc
import Logging
import Synchronization
import WaldenPostgres

/// The least level that is logged; may change while the process runs.
final class LogLevel: Sendable {
    private let level: Mutex<Logger.Level>

    init(_ name: String) {
        level = Mutex(Logger.Level(rawValue: name) ?? .info)
    }

    func set(_ name: String) {
        if let new = Logger.Level(rawValue: name) { level.withLock { $0 = new } }
    }

    var current: Logger.Level { level.withLock { $0 } }
}

enum LogSetup {
    /// A logger that writes whole lines to standard error.
    static func logger(format: String, level: LogLevel) -> Logger {
        Logger(label: "walden") { _ in LineHandler(isJSON: format == "json", level: level) }
    }
}

extension Logger {
    /// The same for one part of the process, named in every line.
    func part(_ name: String) -> Logger {
        var logger = self
        logger[metadataKey: "part"] = "\(name)"
        return logger
    }
}

/// One line an event: for people, or as a JSON object.
struct LineHandler: LogHandler {
    let isJSON: Bool
    let level: LogLevel
    var metadata: Logger.Metadata = [:]

    /// Set by a library for its own copy of the logger only.
    private var ownLevel: Logger.Level?

    init(isJSON: Bool, level: LogLevel) {
        self.isJSON = isJSON
        self.level = level
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? level.current }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let bytes = Array(line(event, time: WallClock.text(WallClock.microseconds())).utf8)
        // One write a line, so that lines of several threads do not mix.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// With its line feed, the only one in it.
    func line(_ event: LogEvent, time: String) -> String {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        return isJSON ? json(event, merged, time) : text(event, merged, time)
    }

    private func text(_ event: LogEvent, _ metadata: Logger.Metadata, _ time: String) -> String {
        var line = "\(time) \(event.level.rawValue) "
        if let part = metadata["part"] { line += "\(part): " }
        line += Self.withoutControls("\(event.message)")
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != "part" {
            line += " \(key)=\(Self.quotedIfNeeded("\(value)"))"
        }
        return line + "\n"
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata, _ time: String) -> String {
        var fields = [("time", time), ("level", event.level.rawValue), ("message", "\(event.message)")]
        fields += metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        return "{" + fields.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",") + "}\n"
    }

    /// So that no message can pretend to be two lines.
    private static func withoutControls(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != 0x7F }
        return isPlain ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case let control where control.value < 0x20 || control.value == 0x7F:
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension WallClock {
    /// UTC, as ISO 8601 has it, to the millisecond.
    ///
    /// - Parameter microseconds: Since 2000-01-01.
    static func text(_ microseconds: Int64) -> String {
        let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        var seconds = time_t(whole) + epochSeconds
        if rest < 0 { seconds -= 1 }
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { padded($0, 2) }
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
        return date.joined(separator: "-") + "T" + time.joined(separator: ":")
            + ".\(padded(Int((rest < 0 ? rest + 1_000_000 : rest) / 1_000), 3))Z"
    }
}
