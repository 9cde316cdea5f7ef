import WaldenCore
import WaldenWire

/// Reads one message or view from bytes; spans cannot be captured by `#expect`, so results leave as values.
func decode<M: Message>(_ type: M.Type, _ body: [UInt8]) -> Result<M, WireError> {
    result { () throws(WireError) in try M(decoding: body.span.bytes) }
}

func result<Value>(_ body: () throws(WireError) -> Value) -> Result<Value, WireError> {
    do {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

extension Result where Failure == WireError {
    var code: WireError.Code? {
        guard case .failure(let error) = self else { return nil }
        return error.code
    }

    var value: Success? { try? get() }
}

/// The body of a whole tagged message.
func body(of message: [UInt8]) -> [UInt8] {
    Array(message.dropFirst(MessageHeader.byteCount))
}

func header(_ bytes: [UInt8], at offset: Int = 0, limit: Int = 1000) -> Result<MessageHeader?, WireError> {
    result { () throws(WireError) in try MessageHeader.parse(bytes.span.bytes, at: offset, limit: limit) }
}

/// Bytes from text where `\0` is a zero byte.
func ascii(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

func int16(_ value: Int) -> [UInt8] {
    let bits = UInt16(truncatingIfNeeded: value)
    return [UInt8(bits >> 8), UInt8(bits & 0xFF)]
}

func int32(_ value: Int) -> [UInt8] {
    int16(value >> 16) + int16(value)
}

extension SplitMix64 {
    /// Random bytes in which zeros, small counts and format codes are frequent, so that decoders get past their first
    /// field.
    mutating func bytes(count: Int) -> [UInt8] {
        (0..<count).map { _ in
            switch next() % 8 {
            case 0...2: 0
            case 3: UInt8(next() % 4)
            case 4: UInt8(ascii: "A") + UInt8(next() % 26)
            case 5: 0xFF
            default: UInt8(truncatingIfNeeded: next())
            }
        }
    }
}
