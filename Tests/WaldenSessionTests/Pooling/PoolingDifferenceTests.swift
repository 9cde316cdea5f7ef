import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Clients that share servers in a random order see, byte for byte, what each would see on a server of its own.
@Suite struct PoolingDifferenceTests {
    @Test(arguments: 0..<300) func sharedServersAnswerAsOnesOwn(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let names = StatementNames(count: 5)
        let shared = SimulatedServer.Schema()
        let servers = (0..<3).map { _ in
            SimulatedServer(statementLimit: 3, schema: shared, reign: Reign(number: 0))
        }
        for server in servers { server.transactionName = "7" }
        // Walden's own questions in transactions are not noticed.
        let policy = SessionPolicy(resolvesCommits: seed.isMultiple(of: 2))
        let census = random.one(of: [Pooling.Census.suspect, .always])
        let clients = (0..<2).map { _ in
            Client(PooledScript(servers: servers, names: names, census: census, policy: policy))
        }
        for _ in 0..<60 {
            let client = random.one(of: clients)
            if random.below(6) == 0 {
                shared.type = random.one(of: [0, 23, 25])
                for client in clients { client.schemaChanges(to: shared.type) }
            }
            let taken = clients.compactMap { $0.script.current }
            client.script.next = random.one(of: (0..<servers.count).filter { !taken.contains($0) })
            let bytes = (0..<random.below(3) + 1).flatMap { _ in client.unit(&random) }
            client.script.clientBytes(bytes)
            let expected = Transcript.text(client.own.take(bytes))
            let seen = client.script.seen()
            guard seen == expected else {
                Issue.record("seed \(seed): \(client.history)\nseen     \(seen)\nexpected \(expected)")
                return
            }
        }
        #expect(clients.allSatisfy { !$0.script.takeEvents().contains { $0.hasPrefix("give up") } })
    }
}

private final class Client {
    let script: PooledScript
    let own = SimulatedServer()
    private(set) var history: [String] = []

    init(_ script: PooledScript) {
        self.script = script
    }

    func schemaChanges(to type: UInt32) {
        own.schema.type = type
        history.append("(type \(type))")
    }

    /// The messages of one unit, up to its Sync.
    func unit(_ random: inout SplitMix64) -> [UInt8] {
        let name = random.one(of: ["a", "b", "c", ""])
        let text = random.one(of: [
            "SELECT 1", "SELECT 2", "INSERT x", "BAD", "SHOW work_mem", "SHOW timezone", "SELECT * FROM t",
        ])
        let number = random.below(4)
        switch random.below(22) {
        case 0..<4: return sync("parse \(name) \(text)", [Parse(name: name, query: text)])
        case 4..<7:
            return sync(
                "run \(name) \(text)",
                [Parse(name: name, query: text), Bind(statement: name), Describe(.portal), Execute()])
        case 7..<12: return sync("execute \(name)", [Bind(statement: name), Execute()])
        case 12: return sync("describe \(name)", [Describe(.statement, name: name)])
        case 13: return sync("close \(name)", [Close(.statement, name: name)])
        case 14: return query(text)
        case 15: return query("SET work_mem = \(number)")
        case 16: return query("SET TimeZone = \(number)")
        case 17: return query(random.one(of: ["BEGIN", "COMMIT", "ROLLBACK", "RESET ALL"]))
        case 18: return query(random.one(of: ["LISTEN c", "UNLISTEN c", "DEALLOCATE ALL", "PREPARE p AS SELECT 9"]))
        case 19: return query(random.one(of: ["SET app.x = \(number)", "SET LOCAL app.x = \(number)", "RESET app.x"]))
        case 20: return query(random.one(of: ["SHOW app.x", "SHOW app.y", "SET app.y = \(number)", "DISCARD ALL"]))
        default: return query(random.one(of: ["EXECUTE a", "EXECUTE p", "DEALLOCATE a", "DEALLOCATE p"]))
        }
    }

    private func sync(_ words: String, _ messages: [any FrontendMessage]) -> [UInt8] {
        history.append(words)
        return messages.flatMap { $0.encoded() } + Sync().encoded()
    }

    private func query(_ text: String) -> [UInt8] {
        history.append(text)
        return Query(text).encoded()
    }
}

extension SplitMix64 {
    fileprivate mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    fileprivate mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}
