import Testing
import WaldenCore
import WaldenSession
import WaldenWire

/// Transcripts of the beginning of a connection: `> bytes` from the client, then what is done with them.
@Suite struct ConnectionFrontTests {
    private static let ssl = encoded(.sslRequest)
    private static let gss = encoded(.gssEncRequest)
    private static let start = encoded(.startup(StartupMessage(user: "u")))
    private static let proxy = Array("PROXY TCP4 192.0.2.1 192.0.2.2 7 8\r\n".utf8)
    private static let hello: [UInt8] = [0x16, 3, 1, 0, 5]

    private static func encoded(_ packet: StartupPacket) -> [UInt8] {
        var bytes: [UInt8] = []
        packet.encode(into: &bytes)
        return bytes
    }

    /// What a shell does with `bytes` in one go, in words; a handshake ends well, with `alpn`.
    private static func run(
        _ bytes: [UInt8], _ encryption: FrontPolicy.Encryption, _ header: FrontPolicy.ProxyHeaderUse = .refused,
        alpn: String? = nil, afterHandshake: [UInt8] = []
    ) -> String {
        var front = ConnectionFront(FrontPolicy(proxyHeader: header, encryption: encryption))
        var unread = bytes
        var words: [String] = []
        while true {
            switch front.next(unread.span.bytes) {
            case .needMore: return (words + ["more"]).joined(separator: " ")
            case .proxied(let count, let source):
                unread.removeFirst(count)
                words.append("from(\(source.map { "\($0)" } ?? "-"))")
            case .declined(let count):
                unread.removeFirst(count)
                words.append("N")
            case .beginTLS(let count):
                words.append(count > 0 ? "S" : "direct")
                unread = afterHandshake
                if let fault = front.tlsEstablished(applicationProtocol: alpn) {
                    return (words + [fault.label]).joined(separator: " ")
                }
            case .cancel: return (words + ["cancel"]).joined(separator: " ")
            case .start: return (words + ["start" + (front.isEncrypted ? "*" : "")]).joined(separator: " ")
            case .refuse(let fault): return (words + [fault.label]).joined(separator: " ")
            }
        }
    }

    // Typed elements: without them the compiler tries every meaning of `+` for the whole list.
    private typealias Case = (bytes: [UInt8], expected: String)

    private static func joined(_ packets: [UInt8]...) -> [UInt8] { packets.flatMap { $0 } }

    private static let clear: [Case] = [
        (start, "start"), (joined(ssl, start), "N start"), (joined(gss, start), "N start"),
        (joined(gss, ssl, start), "N N start"),
        (joined(ssl, gss, start), "N N start"), (joined(ssl, ssl), "N malformed_startup"),
        (joined(gss, gss), "N malformed_startup"),
        (hello, "tls_refused"), (proxy, "malformed_startup"), ([], "more"),
        (encoded(.cancelRequest(processID: 1, secret: [1, 2, 3, 4])), "cancel"),
    ]

    private static let encrypted: [Case] = [
        (start, "start"), (ssl, "S start*"), (joined(gss, ssl), "N S start*"), (joined(ssl, start), "tls_refused"),
        (joined(ssl, hello), "tls_refused"), (joined(gss, hello), "N malformed_startup"), (hello, "direct tls_refused"),
    ]

    @Test(arguments: clear)
    func withoutTLS(bytes: [UInt8], expected: String) {
        #expect(Self.run(bytes, .unavailable) == expected)
    }

    @Test(arguments: encrypted)
    func withTLS(bytes: [UInt8], expected: String) {
        #expect(Self.run(bytes, .offered, afterHandshake: Self.start) == expected)
    }

    @Test func directHandshakeNeedsTheProtocolsName() {
        #expect(Self.run(Self.hello, .offered, alpn: "postgresql", afterHandshake: Self.start) == "direct start*")
        #expect(Self.run(Self.hello, .offered, alpn: "h2", afterHandshake: Self.start) == "direct tls_refused")
        // After a request the name is not asked for.
        #expect(Self.run(Self.ssl, .offered, alpn: nil, afterHandshake: Self.start) == "S start*")
    }

    @Test func nothingIsNegotiatedTwice() {
        for again in [Self.ssl, Self.gss] {
            #expect(Self.run(Self.ssl, .offered, afterHandshake: again) == "S malformed_startup")
        }
        #expect(Self.run(Self.ssl, .offered, afterHandshake: Self.hello) == "S malformed_startup")
    }

    @Test func requiredEncryptionIsRequiredOfSessionsOnly() {
        #expect(Self.run(Self.start, .required) == "tls_required")
        #expect(Self.run(Self.gss + Self.start, .required) == "N tls_required")
        #expect(Self.run(Self.ssl, .required, afterHandshake: Self.start) == "S start*")
        let cancel = Self.encoded(.cancelRequest(processID: 1, secret: [1, 2, 3, 4]))
        #expect(Self.run(cancel, .required) == "cancel")
    }

    @Test func proxyHeaderComesFirst() {
        #expect(Self.run(Self.proxy + Self.start, .unavailable, .accepted) == "from(192.0.2.1:7) start")
        #expect(Self.run(Self.start, .unavailable, .accepted) == "start")
        #expect(Self.run(Self.start, .unavailable, .required) == "proxy_header")
        #expect(Self.run(Self.hello, .offered, .required) == "proxy_header")
        let encrypted = Self.run(Self.proxy + Self.ssl, .offered, .required, afterHandshake: Self.start)
        #expect(encrypted == "from(192.0.2.1:7) S start*")
        let direct = Self.run(
            Self.proxy + Self.hello, .offered, .required, alpn: "postgresql", afterHandshake: Self.start)
        #expect(direct == "from(192.0.2.1:7) direct start*")
        #expect(Self.run(Self.proxy + Self.proxy, .unavailable, .accepted) == "from(192.0.2.1:7) malformed_startup")
        #expect(Self.run(Array("PROXY UNKNOWN\r\n".utf8) + Self.start, .unavailable, .required) == "from(-) start")
        #expect(Self.run(Array("PROXY TCP9\r\n".utf8), .unavailable, .accepted) == "proxy_header")
    }

    @Test func packetsMayArriveByteByByte() {
        var front = ConnectionFront(FrontPolicy(proxyHeader: .required, encryption: .unavailable))
        var unread: [UInt8] = []
        var steps: [ConnectionFront.Step] = []
        for byte in Self.proxy + Self.gss + Self.ssl + Self.start {
            unread.append(byte)
            let step = front.next(unread.span.bytes)
            switch step {
            case .needMore: continue
            case .proxied(let count, _), .declined(let count), .start(_, let count): unread.removeFirst(count)
            default: break
            }
            steps.append(step)
        }
        #expect(steps.count == 4)
        #expect(steps.last == .start(StartupMessage(user: "u"), byteCount: Self.start.count))
        #expect(unread.isEmpty)
    }
}
