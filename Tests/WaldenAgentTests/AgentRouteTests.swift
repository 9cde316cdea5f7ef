import Testing

@testable import WaldenAgent

@Suite struct AgentRouteTests {
    @Test(
        arguments: [
            ("GET", "/", nil, .status), ("GET", "/job/12", nil, .job(12)),
            ("POST", "/fence", "term=3", .fence(term: 3)),
            ("POST", "/fence", "a=b&term=18446744073709551615", .fence(term: .max)), ("POST", "/rejoin", nil, .rejoin),
            ("POST", "/unfence", "term=3", .unfence(term: 3)),
            ("POST", "/start", nil, .start), ("POST", "/stop", nil, .stop),
        ] as [(String, String, String?, AgentRoute)])
    func requestsAreRoutes(_ method: String, _ path: String, _ query: String?, _ route: AgentRoute) {
        #expect(AgentRoute(method: method, path: path, query: query) == route)
    }

    /// What changes something is never done by a request that only reads, nor without a term that is one.
    @Test(
        arguments: [
            ("GET", "/fence", "term=3", 405), ("GET", "/stop", nil, 405), ("GET", "/unfence", "term=1", 405),
            ("POST", "/", nil, 405),
            ("POST", "/job/1", nil, 405),
            ("POST", "/fence", nil, 400), ("POST", "/fence", "term=-1", 400), ("POST", "/fence", "term=1&term=2", 400),
            ("POST", "/fence", "term=99999999999999999999", 400), ("GET", "/job/x", nil, 400),
            ("GET", "/fences", nil, 404),
            ("GET", "/job/1/2", nil, 404),
        ] as [(String, String, String?, Int)])
    func othersAreRefused(_ method: String, _ path: String, _ query: String?, _ status: Int) {
        guard case .wrong(let found, let text) = AgentRoute(method: method, path: path, query: query) else {
            Issue.record("\(method) \(path) is a route")
            return
        }
        #expect(found == status)
        #expect(!text.isEmpty)
    }
}
