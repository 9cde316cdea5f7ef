import WaldenCore

/// Walks over the body of one message inside a larger buffer, and names the message in every error.
///
/// Like `ByteCursor` it holds offsets alone and is given the bytes with each call; unlike it, it stops at the end of
/// the body. The same bytes must be given each time: the end is checked against them once, in `init`.
struct BodyReader {
    private(set) var offset: Int
    let end: Int
    let tag: UInt8

    init(_ bytes: borrowing RawSpan, body: Range<Int>, tag: UInt8) {
        end = max(0, min(body.upperBound, bytes.byteCount))
        offset = max(0, min(body.lowerBound, end))
        self.tag = tag
    }

    var remaining: Int { end - offset }

    func malformed(_ error: ByteError) -> WireError {
        WireError(.malformed(tag: tag, error))
    }

    mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, in bytes: borrowing RawSpan
    ) throws(WireError) -> Integer {
        guard remaining >= MemoryLayout<Integer>.size else { throw malformed(.truncated) }
        let value = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Integer.self)
        offset += MemoryLayout<Integer>.size
        return Integer(bigEndian: value)
    }

    mutating func take(_ count: Int) throws(WireError) -> Range<Int> {
        guard count >= 0 else { throw malformed(.lengthOutOfRange) }
        guard remaining >= count else { throw malformed(.truncated) }
        defer { offset += count }
        return offset..<(offset + count)
    }

    mutating func takeRest() -> Range<Int> {
        defer { offset = end }
        return offset..<end
    }

    /// Steps over a zero-terminated string; the range is without the zero.
    mutating func takeCString(in bytes: borrowing RawSpan) throws(WireError) -> Range<Int> {
        guard let zero = bytes.firstZero(in: offset..<end) else { throw malformed(.unterminatedString) }
        defer { offset = zero + 1 }
        return offset..<zero
    }

    mutating func readCString(in bytes: borrowing RawSpan) throws(WireError) -> String {
        let range = try takeCString(in: bytes)
        return try text(range, in: bytes)
    }

    /// Reads a string that a server may have sent in any encoding: what is not UTF-8 becomes U+FFFD.
    mutating func readLossyCString(in bytes: borrowing RawSpan) throws(WireError) -> String {
        let range = try takeCString(in: bytes)
        return bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    func text(_ range: Range<Int>, in bytes: borrowing RawSpan) throws(WireError) -> String {
        let text = bytes.extracting(range).withUnsafeBytes { String(validating: $0, as: UTF8.self) }
        guard let text else { throw malformed(.invalidText) }
        return text
    }

    /// Reads an Int16 count of items that take at least `bytesEach` bytes, so that what it promises can be there.
    ///
    /// PostgreSQL reads these counts as unsigned, which is how Bind comes to allow 65,535 parameters.
    mutating func readCount(bytesEach: Int, in bytes: borrowing RawSpan) throws(WireError) -> Int {
        let count = Int(try read(UInt16.self, in: bytes))
        guard remaining >= count * bytesEach else { throw malformed(.truncated) }
        return count
    }

    /// Reads a value with an Int32 length before it; nil is the length -1, a null.
    mutating func takeValue(in bytes: borrowing RawSpan) throws(WireError) -> Range<Int>? {
        let length = try read(Int32.self, in: bytes)
        return length == -1 ? nil : try take(Int(length))
    }

    mutating func readValue(in bytes: borrowing RawSpan) throws(WireError) -> [UInt8]? {
        guard let range = try takeValue(in: bytes) else { return nil }
        return bytes.copy(range)
    }

    /// Reads a count and as many values.
    mutating func readValues(in bytes: borrowing RawSpan) throws(WireError) -> [[UInt8]?] {
        let count = try readCount(bytesEach: 4, in: bytes)
        var values: [[UInt8]?] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try readValue(in: bytes))
        }
        return values
    }

    mutating func readFormats(in bytes: borrowing RawSpan) throws(WireError) -> [FormatCode] {
        let count = try readCount(bytesEach: 2, in: bytes)
        var formats: [FormatCode] = []
        formats.reserveCapacity(count)
        for _ in 0..<count {
            formats.append(try readFormat(in: bytes))
        }
        return formats
    }

    mutating func readFormat(in bytes: borrowing RawSpan) throws(WireError) -> FormatCode {
        let code = try read(Int16.self, in: bytes)
        guard let format = FormatCode(rawValue: code) else {
            throw WireError(.unexpectedValue(tag: tag, field: .formatCode, value: Int(code)))
        }
        return format
    }

    /// The message must end here.
    func finish() throws(WireError) {
        guard offset == end else { throw WireError(.trailingBytes(tag: tag)) }
    }
}

extension RawSpan {
    /// The offset of the first zero byte in `range`, which must lie within.
    func firstZero(in range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        // Eight bytes at a time: the expression is zero unless one of them is zero (Hacker's Delight, 6-1).
        while offset + 8 <= range.upperBound {
            let word = UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 {
                // The lowest bit set marks the first zero; above it a borrow may have set others.
                return offset + zeros.trailingZeroBitCount / 8
            }
            offset += 8
        }
        while offset < range.upperBound {
            if unsafeLoad(fromByteOffset: offset, as: UInt8.self) == 0 { return offset }
            offset += 1
        }
        return nil
    }
}
