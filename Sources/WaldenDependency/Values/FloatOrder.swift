import WaldenCore

/// float4 and float8 as integers whose order is that of PostgreSQL: NaN equals itself and is above all, the two zeros
/// are equal (`utils/float.h`).
enum FloatOrder {
    static func value(_ number: Double) -> Value {
        if number.isNaN { return .integer(.max) }
        if number == 0 { return .integer(0) }
        let bits = Int64(bitPattern: number.bitPattern)
        return .integer(bits >= 0 ? bits : bits ^ .max)
    }

    /// The number that `value` stands for.
    static func number(_ key: Int64) -> Double {
        if key == .max { return .nan }
        return Double(bitPattern: UInt64(bitPattern: key >= 0 ? key : key ^ .max))
    }

    /// A decimal number as the input function of the type reads it; nil for other spellings and beyond the range.
    static func read(_ text: borrowing RawSpan, type: TypeID) -> Double? {
        if text.equals("NaN") { return .nan }
        if text.equals("Infinity") { return .infinity }
        if text.equals("-Infinity") { return -.infinity }
        guard (1...64).contains(text.byteCount) else { return nil }
        var isZero = true
        var isMantissa = true
        for offset in 0..<text.byteCount {
            switch text.byte(at: offset) {
            case UInt8(ascii: "0"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"): break
            case UInt8(ascii: "1")...UInt8(ascii: "9"): if isMantissa { isZero = false }
            case UInt8(ascii: "e"), UInt8(ascii: "E"): isMantissa = false
            default: return nil
            }
        }
        let string = String(decoding: text.copy(0..<text.byteCount), as: UTF8.self)
        let number = type == .float4 ? Float(string).map { Double($0) } : Double(string)
        guard let number, number.isFinite, (number == 0) == isZero else { return nil }
        return number
    }
}
