import Glibc
import NIOCore
import NIOSSL
import WaldenAuth

/// A file that TLS needs cannot be used: which, and why. It holds nothing of the file's content.
public struct TLSFileProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "\(path): \(reason)" }
}

/// Reads certificates and keys in PEM form, and says what is wrong with them.
enum TLSFiles {
    /// The certificates in the file, the leaf first; at least one.
    static func certificates(_ path: String) throws(TLSFileProblem) -> [NIOSSLCertificate] {
        try checkReadable(path)
        let certificates = try? NIOSSLCertificate.fromPEMFile(path)
        guard let certificates, !certificates.isEmpty else {
            throw TLSFileProblem(path: path, reason: "holds no certificate in PEM form")
        }
        return certificates
    }

    /// - Parameter passphrase: What the key is encrypted with, if it is.
    static func privateKey(_ path: String, passphrase: Secret? = nil) throws(TLSFileProblem) -> NIOSSLPrivateKey {
        try checkReadable(path)
        try checkPrivacy(path)
        // Without a callback BoringSSL would ask at the terminal.
        let secret = passphrase?.bytes ?? []
        let key = try? NIOSSLPrivateKey(file: path, format: .pem) { $0(secret) }
        guard let key else {
            let cause = passphrase == nil ? "or one that needs a passphrase" : "or the passphrase is wrong"
            throw TLSFileProblem(path: path, reason: "holds no private key in PEM form, \(cause)")
        }
        return key
    }

    private static func checkReadable(_ path: String) throws(TLSFileProblem) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TLSFileProblem(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
    }

    /// The rule of PostgreSQL and libpq: nobody but the owner may read a key, or the group of one that belongs to root.
    private static func checkPrivacy(_ path: String) throws(TLSFileProblem) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw TLSFileProblem(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        let forbidden: mode_t = status.st_uid == 0 ? 0o037 : 0o077
        guard status.st_mode & forbidden == 0 else {
            throw TLSFileProblem(
                path: path,
                reason: "others may read this key: make its permissions 0600, or 0640 where it belongs to root")
        }
    }
}

extension NIOSSLCertificate {
    /// Nil when libcrypto cannot read what BoringSSL could.
    var content: Certificate? { (try? toDERBytes()).flatMap(Certificate.init(der:)) }
}

/// The versions of TLS that can be the least, as PostgreSQL's `ssl_min_protocol_version` spells them.
public enum MinimumTLSVersion: String, CaseIterable, Hashable, Sendable {
    case tls1 = "TLSv1"
    case tls11 = "TLSv1.1"
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    var version: TLSVersion {
        switch self {
        case .tls1: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}

extension TLSVersion {
    /// As `pg_stat_ssl` has it.
    var name: String {
        switch self {
        case .tlsv1: MinimumTLSVersion.tls1.rawValue
        case .tlsv11: MinimumTLSVersion.tls11.rawValue
        case .tlsv12: MinimumTLSVersion.tls12.rawValue
        case .tlsv13: MinimumTLSVersion.tls13.rawValue
        }
    }
}
