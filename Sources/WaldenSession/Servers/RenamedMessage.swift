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

    /// The Parse of `statement` under `name`.
    static func appendParse(of statement: PreparedStatement, as name: String, to bytes: inout [UInt8]) {
        let message = statement.parseMessage
        bytes.append(FrontendTag.parse.rawValue)
        bytes.appendInteger(UInt32(clamping: message.count - 1 - statement.name.count + name.utf8.count))
        bytes.append(contentsOf: name.utf8)
        bytes.append(0)
        bytes.append(contentsOf: message[statement.text.lowerBound...])
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
