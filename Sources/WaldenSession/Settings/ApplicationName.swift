import WaldenWire

/// What a server makes of the `application_name` in a startup packet, which pooled servers are not told of there
/// (PostgreSQL `utils/misc/guc.c`, `check_application_name` and `GUC_IS_NAME`; `parser/scansup.c`,
/// `truncate_identifier`).
struct ApplicationName {
    /// As SHOW tells it. ASCII.
    let value: [UInt8]
    /// The NOTICE of a client that gave a longer one.
    let notice: NoticeResponse?

    /// `NAMEDATALEN` - 1.
    private static let byteLimit = 63

    /// - Parameters:
    ///   - given: As in the packet.
    ///   - server: What a server of the pool reported at the end of its startup.
    init(_ given: [UInt8], server: ReportedParameters) {
        var name = given[...]
        if given.count > Self.byteLimit {
            name = Self.clipped(given, encoding: server["server_encoding"] ?? "UTF8")
            let (long, short) = (String(decoding: given, as: UTF8.self), String(decoding: name, as: UTF8.self))
            notice = NoticeResponse(
                sqlState: .nameTooLong, message: "identifier \"\(long)\" will be truncated to \"\(short)\"")
        } else {
            notice = nil
        }
        let major = server["server_version"].flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        value = major >= 16 ? Self.escaped(name) : name.map { Self.isPlain($0) ? $0 : UInt8(ascii: "?") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }

    /// `pg_clean_ascii` since version 16.
    private static func escaped(_ name: ArraySlice<UInt8>) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            if isPlain(byte) { return [byte] }
            let digits = String(byte, radix: 16)
            return Array("\\x\(byte < 0x10 ? "0" : "")\(digits)".utf8)
        }
    }

    /// As many whole characters as fit.
    private static func clipped(_ name: [UInt8], encoding: String) -> ArraySlice<UInt8> {
        var end = 0
        while end < byteLimit {
            let next = end + length(ofCharacterFrom: name[end], encoding)
            if next > byteLimit { break }
            end = next
        }
        return name.prefix(end)
    }

    /// `common/wchar.c`, `pg_wchar_table`: by a character's first byte, in an encoding that a server may have.
    private static func length(ofCharacterFrom first: UInt8, _ encoding: String) -> Int {
        guard first >= 0x80 else { return 1 }
        if encoding == "UTF8" {
            switch first {
            case 0xC0...0xDF: return 2
            case 0xE0...0xEF: return 3
            case 0xF0...0xF7: return 4
            default: return 1
            }
        }
        guard encoding.hasPrefix("EUC_") else { return 1 }
        switch first {
        case 0x8E: return encoding == "EUC_TW" ? 4 : encoding == "EUC_CN" ? 3 : 2
        case 0x8F: return 3
        default: return 2
        }
    }
}
