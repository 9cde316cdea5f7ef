import WaldenCore

/// A value of type numeric, read from text or from its binary form (PostgreSQL `utils/adt/numeric.c`).
struct DecimalNumber: Hashable, Sendable {
    enum Class: Hashable, Sendable {
        case minusInfinity, finite, infinity, notANumber
    }

    let kind: Class
    let isNegative: Bool
    /// Decimal digits (0…9), without zeros at either end; empty for zero.
    let digits: [UInt8]
    /// The value is 0.d₁d₂d₃… × 10^exponent.
    let exponent: Int

    /// More digits than any numeric has (131,072 before the point, 16,383 after it).
    private static let digitLimit = 150_000

    private init(kind: Class) {
        self.kind = kind
        isNegative = false
        digits = []
        exponent = 0
    }

    /// - Parameter pointPosition: How many of `digits` stand before the decimal point; may lie outside of them.
    private init(isNegative: Bool, digits: [UInt8], pointPosition: Int) {
        kind = .finite
        let first = digits.firstIndex { $0 != 0 } ?? digits.count
        var end = digits.count
        while end > first, digits[end - 1] == 0 { end -= 1 }
        self.digits = first == 0 && end == digits.count ? digits : Array(digits[first..<end])
        exponent = self.digits.isEmpty ? 0 : pointPosition - first
        self.isNegative = isNegative && !self.digits.isEmpty
    }

    init(_ integer: Int64) {
        var digits: [UInt8] = []
        var rest = integer.magnitude
        while rest > 0 {
            digits.append(UInt8(rest % 10))
            rest /= 10
        }
        digits.reverse()
        self.init(isNegative: integer < 0, digits: digits, pointPosition: digits.count)
    }

    /// Reads the output of `numeric`, or a constant of SQL: digits with at most one point and an exponent.
    init?(text: borrowing RawSpan) {
        if text.equals("NaN") {
            self.init(kind: .notANumber)
            return
        }
        if text.equals("Infinity") || text.equals("-Infinity") {
            self.init(kind: text.byteCount == 8 ? .infinity : .minusInfinity)
            return
        }
        guard text.byteCount <= Self.digitLimit else { return nil }
        let isNegative = text.isByte(UInt8(ascii: "-"), at: 0)
        var offset = isNegative ? 1 : 0
        var digits: [UInt8] = []
        digits.reserveCapacity(text.byteCount)
        var point: Int?
        while offset < text.byteCount {
            if let digit = text.digit(at: offset) {
                digits.append(digit)
            } else if text.isByte(UInt8(ascii: "."), at: offset), point == nil {
                point = digits.count
            } else {
                break
            }
            offset += 1
        }
        guard !digits.isEmpty, let power = Self.exponent(text, from: offset) else { return nil }
        self.init(isNegative: isNegative, digits: digits, pointPosition: (point ?? digits.count) + power)
    }

    /// What follows the digits: nothing, or `e` and an integer.
    private static func exponent(_ text: borrowing RawSpan, from offset: Int) -> Int? {
        if offset == text.byteCount { return 0 }
        guard text.isByte(UInt8(ascii: "e"), at: offset) || text.isByte(UInt8(ascii: "E"), at: offset) else {
            return nil
        }
        var start = offset + 1
        if text.isByte(UInt8(ascii: "+"), at: start), text.digit(at: start + 1) != nil { start += 1 }
        guard let power = IntegerText.parse(text.extracting(start..<text.byteCount)), abs(power) <= digitLimit else {
            return nil
        }
        return Int(power)
    }

    /// Reads the output of `numeric_send`: digit count, weight, sign, scale, then digits to base 10,000.
    init?(binary: borrowing RawSpan) {
        var cursor = ByteCursor()
        guard let count = try? cursor.read(Int16.self, in: binary), count >= 0,
            let weight = try? cursor.read(Int16.self, in: binary),
            let sign = try? cursor.read(UInt16.self, in: binary),
            (try? cursor.read(Int16.self, in: binary)) != nil,
            cursor.remaining(in: binary) == Int(count) * 2
        else { return nil }
        switch sign {
        case 0xC000: self.init(kind: .notANumber)
        case 0xD000: self.init(kind: .infinity)
        case 0xF000: self.init(kind: .minusInfinity)
        case 0x0000, 0x4000:
            var digits: [UInt8] = []
            digits.reserveCapacity(Int(count) * 4)
            for _ in 0..<count {
                guard let group = try? cursor.read(UInt16.self, in: binary), group < 10_000 else { return nil }
                digits.append(UInt8(group / 1000))
                digits.append(UInt8(group / 100 % 10))
                digits.append(UInt8(group / 10 % 10))
                digits.append(UInt8(group % 10))
            }
            self.init(isNegative: sign != 0, digits: digits, pointPosition: (Int(weight) + 1) * 4)
        default: return nil
        }
    }

    /// Bytes whose order is the numeric order, the same for every scale and for both forms; nil beyond the range.
    ///
    /// A class byte, then for finite values the exponent and two digits per byte. A negative value has these
    /// complemented and ends with a byte above all others, so that of two, the one with more digits is the lesser.
    var orderedBytes: [UInt8]? {
        switch kind {
        case .minusInfinity: return [0x00]
        case .infinity: return [0x40]
        case .notANumber: return [0x50]
        case .finite: break
        }
        if digits.isEmpty { return [0x20] }
        guard let biased = UInt32(exactly: exponent + 0x8000_0000) else { return nil }
        var bytes: [UInt8] = [isNegative ? 0x10 : 0x30]
        bytes.reserveCapacity(6 + (digits.count + 1) / 2)
        withUnsafeBytes(of: biased.bigEndian) { bytes.append(contentsOf: $0) }
        for index in stride(from: 0, to: digits.count, by: 2) {
            // Never zero, whose complement would be the byte that ends a negative value.
            bytes.append(digits[index] * 10 + (index + 1 < digits.count ? digits[index + 1] : 0) + 1)
        }
        if isNegative {
            for index in 1..<bytes.count { bytes[index] = ~bytes[index] }
            bytes.append(0xFF)
        }
        return bytes
    }

    /// As an integer column sees it: the value, or the neighbours between which it lies; nil when it is not finite.
    var asInteger: Constant? {
        guard kind == .finite else { return nil }
        if digits.isEmpty { return .value(.integer(0)) }
        let beyond =
            isNegative ? Constant.gap(lower: nil, upper: .integer(.min)) : .gap(lower: .integer(.max), upper: nil)
        if exponent > 19 { return beyond }
        // The whole part as a negative number, because there is one more of these.
        var whole: Int64 = 0
        for index in 0..<max(0, exponent) {
            let digit = index < digits.count ? Int64(digits[index]) : 0
            let (scaled, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.subtractingReportingOverflow(digit)
            if overflow || carry { return beyond }
            whole = sum
        }
        let hasFraction = digits.count > max(0, exponent)
        if isNegative {
            if !hasFraction { return .value(.integer(whole)) }
            return .gap(lower: whole == .min ? nil : .integer(whole - 1), upper: .integer(whole))
        }
        if whole == .min { return beyond }
        if !hasFraction { return .value(.integer(-whole)) }
        return .gap(lower: .integer(-whole), upper: whole == -.max ? nil : .integer(1 - whole))
    }
}
