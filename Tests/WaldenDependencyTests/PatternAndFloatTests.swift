import Testing
import WaldenCore

@testable import WaldenDependency

/// LIKE prefixes and the order of floats against their definitions, on random input.
struct PatternAndFloatTests {
    /// LIKE by its definition, for one-byte characters.
    private func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case UInt8(ascii: "%"):
            return matches(text, rest) || !text.isEmpty && matches(text.dropFirst(), pattern)
        case UInt8(ascii: "_"): return !text.isEmpty && matches(text.dropFirst(), rest)
        case UInt8(ascii: "\\"):
            guard let literal = rest.first else { return false }
            return text.first == literal && matches(text.dropFirst(), rest.dropFirst())
        default: return text.first == first && matches(text.dropFirst(), rest)
        }
    }

    @Test func patternsAreNecessaryConditions() throws {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ..< .max, using: &random)
        var state = seed
        func next(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        let letters = Array("ab%_\\".utf8)
        for _ in 0..<20_000 {
            let pattern = (0..<next(5)).map { _ in letters[next(5)] }
            let text = (0..<next(5)).map { _ in letters[next(5)] }
            guard let like = LikePattern(pattern, escape: UInt8(ascii: "\\")) else { continue }
            let value = FieldValue.known(.bytes(text))
            let isMatch = matches(text[...], pattern[...])
            let told = like.test(matches: isMatch).evaluate(value)
            #expect(told == .yes, "seed \(seed): \(text) \(isMatch ? "" : "not ")like \(pattern)")
            if like.rest != .something, !like.prefix.isEmpty {
                #expect((like.test(matches: true).evaluate(value) == .yes) == isMatch, "seed \(seed): \(pattern)")
            }
            #expect(like.test(matches: true).evaluate(.null) == .no)
        }
    }

    @Test func prefixesEndBeforeTheNextOne() {
        #expect(LikePattern.end(ofPrefix: [1, 2]) == .exclusive(.bytes([1, 3])))
        #expect(LikePattern.end(ofPrefix: [1, 0xFF]) == .exclusive(.bytes([2])))
        #expect(LikePattern.end(ofPrefix: [0xFF, 0xFF]) == .unbounded)
    }

    @Test func floatsAreInOrder() {
        let ascending: [Double] = [
            -.infinity, -.greatestFiniteMagnitude, -1.5, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 0.1,
            1, .greatestFiniteMagnitude, .infinity, .nan,
        ]
        for (index, number) in ascending.enumerated() {
            for (other, second) in ascending.enumerated() {
                #expect((FloatOrder.value(number) < FloatOrder.value(second)) == (index < other))
                #expect((FloatOrder.value(number) == FloatOrder.value(second)) == (index == other))
            }
            guard case .integer(let key) = FloatOrder.value(number) else { continue }
            #expect(FloatOrder.number(key) == number || number.isNaN)
        }
        #expect(FloatOrder.value(-0.0) == FloatOrder.value(0))
        #expect(FloatOrder.value(-.nan) == FloatOrder.value(.nan))
    }

    @Test(
        arguments: [
            ("1.5", TypeID.float8, 1.5), ("-2e3", .float8, -2000), ("1.1", .float4, Double(Float(1.1))),
            ("-0", .float8, 0),
            ("Infinity", .float8, .infinity), ("inf", .float8, nil), (" 1", .float8, nil), ("1e400", .float8, nil),
            ("1e-400", .float8, nil), ("1e39", .float4, nil), ("0x1p3", .float8, nil), ("", .float8, nil),
        ] as [(String, TypeID, Double?)])
    func floatsAreRead(_ text: String, _ type: TypeID, _ expected: Double?) {
        #expect(FloatOrder.read(Array(text.utf8).span.bytes, type: type) == expected)
    }

    @Test func imagesAreRead() {
        func value(_ bytes: [UInt8], _ kind: Field.Kind, _ type: TypeID, _ family: ValueFamily) -> FieldValue {
            FieldDecoding.value(
                of: Field(kind: kind, length: UInt32(bytes.count)), bytes: bytes, type: type, family: family)
        }
        #expect(value(Array("ab  ".utf8), .binary, .bpchar, .bpchar) == .known(.bytes(Array("ab".utf8))))
        #expect(value(Array("ab  ".utf8), .text, .bpchar, .bpchar) == .known(.bytes(Array("ab".utf8))))
        #expect(value([0x3F, 0xC0, 0, 0], .binary, .float4, .float) == .known(FloatOrder.value(1.5)))
        #expect(value([0x3F, 0xF8, 0, 0, 0, 0, 0, 0], .binary, .float8, .float) == .known(FloatOrder.value(1.5)))
        #expect(value([0x3F, 0xF8, 0, 0], .binary, .float8, .float) == .unknown)
        // In text it depends on the type how it was rounded.
        #expect(value(Array("1.5".utf8), .text, .float8, .float) == .unknown)
    }
}
