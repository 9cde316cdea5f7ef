import Testing
import WaldenFailover
import WaldenTestKit

/// docs/internals/failover.md holds the diagram and the table that the program would print. When one changes, the new one
/// is in the failure's message, to be copied.
@Suite struct FailoverReferenceTests {
    private static func page() throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try TextFile.read("/\(root)/docs/internals/failover.md")
    }

    @Test func pageHasTheDiagram() throws {
        #expect(try Self.page().contains(FailoverReference.diagram), "\(FailoverReference.diagram)")
    }

    @Test func pageHasTheTable() throws {
        #expect(try Self.page().contains(FailoverReference.table), "\(FailoverReference.table)")
    }
}
