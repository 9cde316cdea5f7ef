import Testing
import WaldenCore
import WaldenPool

@Suite struct PoolKeyTests {
    private func key(user: String = "ann", _ parameters: [PoolKey.Parameter] = []) -> PoolKey {
        PoolKey(node: NodeID(0), database: "shop", user: user, parameters: parameters)
    }

    private let utc = PoolKey.Parameter(name: "TimeZone", value: "UTC")
    private let iso = PoolKey.Parameter(name: "DateStyle", value: "ISO")

    @Test func whoTheClientIsAndWhatItCallsItselfAreNoParameters() {
        let named = key([
            .init(name: "user", value: "ann"), .init(name: "database", value: "shop"),
            .init(name: "application_name", value: "till 7"),
        ])
        #expect(named == key())
    }

    @Test func theOrderOfParametersDoesNotMatter() {
        let reversed = key([iso, utc])
        #expect(key([utc, iso]) == reversed)
    }

    @Test func othersDoMatter() {
        let keys: Set<PoolKey> = [key(), key(user: "bob"), key([utc]), key([iso])]
        #expect(keys.count == 4)
    }
}
