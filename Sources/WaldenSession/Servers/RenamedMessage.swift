import WaldenWire

/// Messages that name a statement, made again with the name that it has on pooled servers.
enum RenamedMessage {
    /// The beginning of the message in `message` up to the end of its statement's name, with `name` in its place. What
    /// follows the name in the client's message follows this, unchanged.
    ///
    /// - Parameters:
    ///   - named: Where the client's name for it stands.
    ///   - byteCount: Of the whole message, its tag included.
    static func appendHead(
        of input: borrowing RawSpan, from start: Int, named: Range<Int>, byteCount: Int, as name: String,
        to bytes: inout [UInt8]
    ) {
        bytes.append(input.byte(at: start))
        let length = byteCount - 1 - named.count + name.utf8.count
        bytes.appendInteger(UInt32(clamping: length))
        bytes.append(input, (start + MessageHeader.byteCount)..<named.lowerBound)
        bytes.append(contentsOf: name.utf8)
    }

    /// The Parse of `statement` under `name`: with the types that its parameters have got, once these are known, since
    /// PostgreSQL keeps them whatever the text would mean now.
    static func appendParse(of statement: PreparedStatement, as name: [UInt8], to bytes: inout [UInt8]) {
        MessageWriter.append(tag: FrontendTag.parse.rawValue, into: &bytes) { body in
            body += name
            body.append(0)
            guard let types = statement.shape?.parameters, types.count <= UInt16.max else {
                return body += statement.parseMessage[statement.text.lowerBound...]
            }
            body += statement.parseMessage[statement.text.lowerBound..<statement.types.lowerBound]
            body.appendInteger(UInt16(types.count))
            for type in types { body.appendInteger(type) }
        }
    }

    static func appendDescribe(of name: [UInt8], to bytes: inout [UInt8]) {
        MessageWriter.append(tag: FrontendTag.describe.rawValue, into: &bytes) { body in
            body.append(DescribeTarget.statement.rawValue)
            body += name
            body.append(0)
        }
    }

    static func appendClose(of name: String, to bytes: inout [UInt8]) {
        appendClose(of: Array(name.utf8), to: &bytes)
    }

    static func appendClose(of name: [UInt8], to bytes: inout [UInt8]) {
        MessageWriter.append(tag: FrontendTag.close.rawValue, into: &bytes) { body in
            body.append(DescribeTarget.statement.rawValue)
            body += name
            body.append(0)
        }
    }
}
