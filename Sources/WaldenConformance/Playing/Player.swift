import WaldenTestKit

/// Plays one script once with whatever listens on a port, and writes down what its clients see.
final class Player {
    private let script: Script
    private let port: Int
    /// A session on the primary itself.
    private let admin: SQLClient
    /// Called before each step.
    private let interlude: () throws -> Void
    /// Called when `admin` has changed something. A cache may show the state before for a while to who has not seen the change.
    private let administered: () throws -> Void
    private var clients: [(name: String, client: ProtocolClient)] = []
    private var ended: Set<String> = []
    private var trace = Trace()

    /// Longer than anything that a script asks for takes.
    private static let patience = Duration.seconds(10)

    init(
        _ script: Script, port: Int, admin: SQLClient, interlude: @escaping () throws -> Void,
        administered: @escaping () throws -> Void
    ) {
        self.script = script
        self.port = port
        self.admin = admin
        self.interlude = interlude
        self.administered = administered
    }

    func play() throws -> Trace {
        for sql in script.setup { try admin.query(sql) }
        if !script.setup.isEmpty { try administered() }
        for step in script.steps {
            try interlude()
            do {
                try take(step)
            } catch {
                trace.add(.failure("line \(step.line): \(error)"), of: "script")
            }
            if trace.failure != nil { return trace }
        }
        try sayGoodbye()
        return trace
    }

    private func take(_ step: Step) throws {
        switch step.action {
        case .converse(let name, let sends, let isBytewise, let expectations):
            let client = try self.client(name, startsItself: sends.first?.opens == true)
            guard trace.failure == nil else { return }
            try send(try sends.map(bytes).reduce(into: [], +=), isBytewise, with: client)
            for expectation in expectations where trace.failure == nil { meet(expectation, of: name, client) }
        case .finishSending(let name):
            try client(name, startsItself: true).finishSending()
        case .leave(let name, let byReset):
            if byReset { try client(name, startsItself: true).resetOnClose() }
            clients.removeAll { $0.name == name }
        case .observe(let sql):
            try eventually(sql, timeout: Self.patience) { try admin.scalar(sql) == "t" }
        case .administer(let sql):
            try admin.query(sql)
            try administered()
        }
    }

    // MARK: Sending

    private func client(_ name: String, startsItself: Bool) throws -> ProtocolClient {
        if let known = clients.first(where: { $0.name == name }) { return known.client }
        let client = try ProtocolClient(port: port)
        client.timeout = Self.patience
        clients.append((name, client))
        if !startsItself {
            try client.send(FrontendMessage.startup(script.parameters))
            meet(.message("Z", containing: nil), of: name, client)
        }
        return client
    }

    private func send(_ bytes: [UInt8], _ isBytewise: Bool, with client: ProtocolClient) throws {
        if isBytewise {
            for byte in bytes { try client.send([byte]) }
        } else if !bytes.isEmpty {
            // A peer that has closed says so when we read.
            try? client.send(bytes)
        }
    }

    private func bytes(of outgoing: Outgoing) throws -> [UInt8] {
        switch outgoing {
        case .bytes(let bytes, _): return bytes
        case .cancel(let name, let isForged):
            let client = try self.client(name, startsItself: false)
            var key = client.cancelKey
            if isForged, !key.isEmpty { key[0] ^= 1 }
            return FrontendMessage.cancelRequest(processID: client.processID, key: key)
        }
    }

    // MARK: Reading

    private func meet(_ expectation: Expectation, of name: String, _ client: ProtocolClient) {
        do {
            switch expectation {
            case .message(let tag, let text): try readUpTo(tag, text, of: name, client)
            case .byte(let expected):
                let byte = try client.receiveByte()
                trace.add(.byte(UInt8(byte.asciiValue ?? 0)), of: name)
                if byte != Character(expected) { trace.add(.failure("expected the byte \(expected)"), of: name) }
            case .end: try readToTheEnd(of: name, client)
            }
        } catch {
            trace.add(.failure("waiting for \(expectation): \(error)"), of: name)
        }
    }

    private func readUpTo(
        _ tag: Unicode.Scalar, _ text: String?, of name: String, _ client: ProtocolClient
    ) throws {
        while true {
            guard let message = try client.receiveUnlessClosed() else {
                trace.add(.end, of: name)
                ended.insert(name)
                trace.add(.failure("expected \(tag), and the connection was closed"), of: name)
                return
            }
            trace.add(.message(message), of: name)
            if message.tag == tag {
                if let text, !message.description.contains(text) {
                    trace.add(.failure("expected \(tag) with \(text)"), of: name)
                }
                return
            }
            if message.tag == "Z" {
                trace.add(.failure("expected \(tag) before ReadyForQuery"), of: name)
                return
            }
        }
    }

    private func readToTheEnd(of name: String, _ client: ProtocolClient) throws {
        while let message = try client.receiveUnlessClosed() { trace.add(.message(message), of: name) }
        trace.add(.end, of: name)
        ended.insert(name)
    }

    /// Each client that is still there says Terminate and waits for the end, so that nothing that comes late is missed.
    private func sayGoodbye() throws {
        for (name, client) in clients where !ended.contains(name) {
            try? client.send(FrontendMessage.terminate)
            do {
                try readToTheEnd(of: name, client)
            } catch {
                trace.add(.failure("after Terminate: \(error)"), of: name)
            }
        }
    }
}
