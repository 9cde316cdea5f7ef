import Testing
import WaldenCore
import WaldenDependency
import WaldenWire

@testable import WaldenSession

/// Reading the keys out of a captured result, in either format, with and without its description.
@Suite struct ResultKeyReaderTests {
    /// The key's columns stand at 0 (a text) and 2 (an int8).
    private let plan = ResultKeyPlan(
        width: 3,
        keys: [
            [
                .init(reference: ColumnReference(name: "id", type: .int8, family: .integer), position: 2),
                .init(reference: ColumnReference(name: "code", type: .text, family: .text), position: 0),
            ]
        ])

    private func row(_ code: String?, _ id: [UInt8]?) -> [UInt8] {
        DataRow([code.map { Array($0.utf8) }, nil, id]).encoded()
    }

    private func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

    private let end = CommandComplete("SELECT 2").encoded()

    private func described(_ format: FormatCode, id: TypeID = .int8) -> [UInt8] {
        RowDescription([
            .init(name: "code", type: .text, typeSize: -1), .init(name: "x", type: .text, typeSize: -1),
            .init(name: "id", type: id, typeSize: 8, format: format),
        ]).encoded()
    }

    private func read(_ bytes: [UInt8], _ formats: [FormatCode] = []) -> [FieldValue]? {
        ResultKeyReader(plan: plan, formats: formats).keys(in: bytes.span.bytes)?.values[0]
    }

    private let expected: [FieldValue] = [
        .known(.integer(7)), .known(.bytes(Array("a".utf8))), .known(.integer(-1)), .null,
    ]

    @Test func text() {
        let rows = row("a", ascii("7")) + row(nil, ascii("-1"))
        #expect(read(rows + end) == expected)
        #expect(read(described(.text) + rows + end) == expected)
        #expect(read(rows + end, [.text, .binary, .text]) == expected)
    }

    @Test func binary() {
        let rows = row("a", [0, 0, 0, 0, 0, 0, 0, 7]) + row(nil, [UInt8](repeating: 255, count: 8))
        #expect(read(rows + end, [.binary]) == expected)
        #expect(read(rows + end, [.text, .text, .binary]) == expected)
        #expect(read(described(.binary) + rows + end, [.binary]) == expected)
    }

    @Test func noRows() {
        #expect(read(end) == [])
        #expect(read(described(.text) + end) == [])
    }

    /// Whatever is not as expected: no keys.
    @Test func unreadable() {
        let rows = row("a", ascii("7"))
        #expect(read(rows + end, [.binary]) == nil)
        #expect(read(rows + end, [.text, .text]) == nil)
        #expect(read(row("a", ascii("x")) + end) == nil)
        #expect(read(DataRow([nil, nil]).encoded() + end) == nil)
        #expect(read(described(.text, id: .int4) + rows + end) == nil)
        #expect(read(rows) == nil)
        #expect(read(rows + end + rows) == nil)
        #expect(read(rows + BackendTag.error + end) == nil)
        #expect(read([]) == nil)
        #expect(read(Array(rows.dropLast()) + end) == nil)
    }

    @Test func onlySoManyRows() {
        let rows = (0..<ResultKeyReader.maxRows).flatMap { row("a", ascii("\($0)")) }
        #expect(read(rows + end)?.count == 2 * ResultKeyReader.maxRows)
        #expect(read(rows + row("a", ascii("7")) + end) == nil)
    }

    @Test func arbitraryBytesNeverTrap() {
        var seed: UInt64 = 1
        for _ in 0..<2000 {
            var bytes = described(.text) + row("a", ascii("7")) + end
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int((seed >> 33) % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: seed >> 24)
            }
            _ = read(bytes)
        }
    }
}

extension BackendTag {
    fileprivate static var error: [UInt8] { ErrorResponse(sqlState: .syntaxError, message: "no").encoded() }
}
