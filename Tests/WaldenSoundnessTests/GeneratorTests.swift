import Testing

@testable import walden_soundness

@Suite struct GeneratorTests {
    @Test(arguments: 0..<20 as Range<UInt64>) func aSeedRepeatsItsWorld(seed: UInt64) {
        let schema = SchemaGenerator.schema(seed: seed)
        #expect(schema.statements == SchemaGenerator.schema(seed: seed).statements)
    }
}
