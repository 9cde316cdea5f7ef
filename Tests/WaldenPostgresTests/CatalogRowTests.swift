import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenPostgres

@Suite struct CatalogRowTests {
    @Test func relation() throws {
        let row = CatalogRow(["16390", "public", "orders", "r", "p", "f", "t", "f", "t", "t", "f"])
        let columns = try [#require(CatalogRow(["16390", "id", "1", "23", "-1", "t", "f", "t"]).column)]
        let entry = try #require(
            row.relationEntry(columns: columns, parents: [RelationID(1)], children: [RelationID(2)]))
        #expect(
            entry
                == RelationEntry(
                    id: RelationID(16390), schema: "public", name: "orders", kind: .table, persistence: .permanent,
                    replicaIdentity: .full, publication: [.published, .hasColumnList], hasRowSecurity: true,
                    hasTriggersOrRules: false, columns: columns, parents: [RelationID(1)], children: [RelationID(2)]))
        #expect(
            columns == [
                ColumnEntry(
                    name: "id", number: 1, type: .int4, typeModifier: -1, hasDeterministicCollation: true,
                    isGenerated: false, isKey: true)
            ])
    }

    @Test func function() {
        let row = CatalogRow(["1299", "pg_catalog", "f", "23 25", "1", "f", "1184", "s", "f", "t", "t"])
        #expect(
            row.function
                == FunctionEntry(
                    oid: 1299, schema: "pg_catalog", name: "f", arguments: [.int4, .text], defaultCount: 1,
                    isVariadic: false, result: .timestamptz, volatility: .stable, kind: .function,
                    mayChangeSettings: true, tellsOfServer: true))
    }

    @Test func aFunctionWithoutArguments() {
        #expect(CatalogRow(["1", "s", "f", "", "0", "f", "23", "i", "a", "f"]).function?.arguments == [])
        #expect(CatalogRow(["1", "s", "f", "23 x", "0", "f", "23", "i", "a", "f"]).function == nil)
    }

    @Test func theRest() {
        #expect(
            CatalogRow(["public", "t", "owner"]).namespace
                == NamespaceEntry(name: "public", isUsableByPublic: true, usableByOwner: "owner"))
        #expect(
            CatalogRow(["25", "pg_catalog", "text", "b", "S", "0", "0", "46", "47"]).type
                == TypeEntry(
                    id: .text, schema: "pg_catalog", name: "text", kind: .base, category: UInt8(ascii: "S"),
                    base: .unspecified, element: .unspecified, input: 46, output: 47))
        #expect(
            CatalogRow(["pg_catalog", "=", "23", "23", "65"]).operatorEntry
                == OperatorEntry(schema: "pg_catalog", name: "=", left: .int4, right: .int4, function: 65))
        #expect(
            CatalogRow(["23", "25", "0", "t"]).cast
                == CastEntry(source: .int4, target: .text, function: 0, isImplicit: true))
        #expect(
            CatalogRow([nil, "t", "a, b"]).searchPath
                == SearchPathDefaults.Setting(role: nil, isForThisDatabase: true, value: "a, b"))
    }

    @Test func whatANewerServerHasIsLeftOut() {
        let row = CatalogRow(["16390", "public", "orders", "?", "p", "f", "t", "f", "f", "f", "f"])
        #expect(row.relationEntry(columns: [], parents: [], children: []) == nil)
        #expect(CatalogRow(["25", "s", "t", "?", "S", "0", "0", "1", "2"]).type == nil)
    }

    @Test func shortRowsAreLeftOut() {
        let row = CatalogRow([])
        #expect(row.namespace == nil)
        #expect(row.column == nil)
        #expect(row.type == nil)
        #expect(row.function == nil)
        #expect(row.operatorEntry == nil)
        #expect(row.cast == nil)
        #expect(row.searchPath == nil)
        #expect(row.relationEntry(columns: [], parents: [], children: []) == nil)
    }

    @Test func questionsFitTheServersVersion() {
        #expect(PublicationSQL(serverVersion: 150_000).subquery.contains("pg_publication_namespace"))
        #expect(!PublicationSQL(serverVersion: 140_000).subquery.contains("pg_publication_namespace"))
        #expect(!PublicationSQL(serverVersion: 140_000).subquery.contains("prqual"))
    }
}

@Suite struct CatalogDigestTests {
    private func digest(eventTriggers: String) -> CatalogDigest {
        CatalogDigest(roles: "", coverage: "", eventTriggers: eventTriggers, settings: "", schema: nil)
    }

    @Test(arguments: [
        ("walden_ddl=A walden_drop=A walden_start=A", true), ("walden_ddl=O walden_drop=A walden_start=A", true),
        ("", false), ("walden_ddl=A walden_drop=A", false), ("walden_ddl=A walden_drop=A walden_start=D", false),
        ("walden_ddl=A walden_drop=D walden_start=A", false), ("walden_ddl=R walden_drop=A walden_start=A", false),
    ])
    func schemaChangesReachTheLog(with eventTriggers: String, _ answer: Bool) {
        #expect(digest(eventTriggers: eventTriggers).schemaChangesReachTheLog == answer)
    }
}
