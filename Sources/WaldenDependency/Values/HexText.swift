import WaldenCore

enum HexText {
    /// Reads the output of `uuid`: 32 hexadecimal digits in five groups.
    static func uuid(_ text: borrowing RawSpan) -> [UInt8]? {
        guard text.byteCount == 36 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var offset = 0
        while offset < 36 {
            if offset == 8 || offset == 13 || offset == 18 || offset == 23 {
                guard text.byte(at: offset) == UInt8(ascii: "-") else { return nil }
                offset += 1
            }
            guard let byte = pair(text, at: offset) else { return nil }
            bytes.append(byte)
            offset += 2
        }
        return bytes
    }

    /// Reads the hex form of `bytea`: `\x` and pairs of digits.
    static func bytea(_ text: borrowing RawSpan) -> [UInt8]? {
        let count = text.byteCount
        guard count >= 2, count % 2 == 0, text.isByte(UInt8(ascii: "\\"), at: 0), text.isByte(UInt8(ascii: "x"), at: 1)
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count / 2 - 1)
        var offset = 2
        while offset < count {
            guard let byte = pair(text, at: offset) else { return nil }
            bytes.append(byte)
            offset += 2
        }
        return bytes
    }

    private static func pair(_ text: borrowing RawSpan, at offset: Int) -> UInt8? {
        guard let high = digit(text.byte(at: offset)), let low = digit(text.byte(at: offset + 1)) else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
