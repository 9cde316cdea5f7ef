import Glibc

/// A certificate authority of a test's own, in a directory that goes with it. Its work is done by `openssl`.
public final class CertificateAuthority: Sendable {
    /// A certificate and its private key, in PEM form.
    public struct Issued: Sendable {
        public let certificate: String
        public let key: String
    }

    public let scratch: Scratch
    private let name: String
    private var key: String { "\(scratch.path)/authority.key" }
    /// Its own certificate: what verifies the others.
    public var certificate: String { "\(scratch.path)/authority.crt" }

    public init(_ name: String = "Test Authority") throws {
        self.name = name
        scratch = try Scratch()
        try openssl(
            ["req", "-x509"] + Self.newKey + [
                "-keyout", key, "-out", certificate, "-subj", "/CN=\(name)", "-days", "30",
            ])
    }

    /// Makes a key and signs a certificate for it.
    ///
    /// - Parameters:
    ///   - file: The files' name without extension; files of that name are replaced.
    ///   - subject: As openssl spells it: `/O=Shop/CN=app`.
    ///   - alternatives: The names beside it: `DNS:localhost`, `IP:127.0.0.1`.
    ///   - forServer: Whether PostgreSQL servers are to read them.
    public func issue(
        _ file: String, subject: String, alternatives: [String] = [], days: Int = 30, forServer: Bool = false
    ) throws -> Issued {
        let path = "\(scratch.path)/\(file)"
        let request = try scratch.write("\(file).cnf", alternatives.isEmpty ? "" : Self.extensions(alternatives))
        try openssl(["req"] + Self.newKey + ["-keyout", "\(path).key", "-out", "\(path).csr", "-subj", subject])
        try openssl([
            "x509", "-req", "-in", "\(path).csr", "-CA", certificate, "-CAkey", key, "-CAcreateserial", "-days",
            String(days), "-extfile", request, "-out", "\(path).crt",
        ])
        chmod("\(path).key", 0o600)
        if forServer, getuid() == 0 { chown("\(path).key", ServerUser.current.uid, ServerUser.current.gid) }
        return Issued(certificate: "\(path).crt", key: "\(path).key")
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private static func extensions(_ alternatives: [String]) -> String {
        "subjectAltName = \(alternatives.joined(separator: ","))\n"
    }

    private func openssl(_ arguments: [String]) throws {
        try ProcessRunner.check(["openssl"] + arguments)
    }
}
