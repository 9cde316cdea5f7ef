/// One message of a server, as it arrived.
public struct BackendMessage: Hashable, Sendable {
    public let tag: Unicode.Scalar
    public let body: [UInt8]

    public init(tag: Unicode.Scalar, body: [UInt8]) {
        self.tag = tag
        self.body = body
    }

    /// All its bytes on the wire.
    public var bytes: [UInt8] { FrontendMessage.message(tag, body) }

    /// The values of a DataRow; empty for any other message.
    public var values: [[UInt8]?] {
        guard tag == "D" else { return [] }
        var values: [[UInt8]?] = []
        var offset = 2
        while offset + 4 <= body.count {
            let length = Int(integer(at: offset, as: Int32.self))
            offset += 4
            guard length >= 0, offset + length <= body.count else {
                values.append(nil)
                continue
            }
            values.append(Array(body[offset..<(offset + length)]))
            offset += length
        }
        return values
    }

    public var texts: [String?] { values.map { $0.map { String(decoding: $0, as: UTF8.self) } } }

    /// The fields of an ErrorResponse or NoticeResponse by their letter.
    public var fields: [Character: String] {
        guard tag == "E" || tag == "N" else { return [:] }
        var fields: [Character: String] = [:]
        for part in body.split(separator: 0) {
            guard let letter = part.first else { continue }
            fields[Character(Unicode.Scalar(letter))] = String(decoding: part.dropFirst(), as: UTF8.self)
        }
        return fields
    }

    /// The SQLSTATE of an ErrorResponse or NoticeResponse.
    public var sqlState: String? { fields["C"] }

    /// The strings of a CommandComplete or ParameterStatus.
    public var strings: [String] { body.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } }

    /// The transaction status of a ReadyForQuery: `I`, `T` or `E`.
    public var transactionStatus: Character? {
        guard tag == "Z", let status = body.first else { return nil }
        return Character(Unicode.Scalar(status))
    }

    /// A big-endian integer of the body; zero past its end.
    public func integer<Integer: FixedWidthInteger>(at offset: Int, as type: Integer.Type) -> Integer {
        guard offset >= 0, offset + MemoryLayout<Integer>.size <= body.count else { return 0 }
        return body[offset..<(offset + MemoryLayout<Integer>.size)].reduce(0) { $0 << 8 | Integer($1) }
    }
}

extension BackendMessage: CustomStringConvertible {
    /// One line of a transcript, e.g. `D 1, null` or `E 22012 division by zero`.
    public var description: String {
        switch tag {
        case "D": "D " + texts.map { $0 ?? "null" }.joined(separator: ", ")
        case "E", "N": "\(tag) \(fields["C"] ?? "") \(fields["M"] ?? "")"
        case "C", "S": "\(tag) " + strings.joined(separator: " ")
        case "Z": "Z \(transactionStatus ?? "?")"
        default: "\(tag) \(body.count) bytes"
        }
    }
}
