import FoundationEssentials

/// Values as lines of JSON, their members in the order of their names.
enum JSONLine {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: ArraySlice<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text))
    }
}
