internal import CCrypto
import WaldenCore

/// What a certificate says, read by libcrypto.
struct Certificate: Hashable, Sendable {
    let name: CertificateName
    /// Its hash as the channel binding `tls-server-end-point` wants it (RFC 5929, 4.1): by the hash function of its
    /// signature, SHA-256 in the place of MD5 and SHA-1. Nil when the signature has none (Ed25519).
    let endPointHash: [UInt8]?

    /// Nil when `der` is no certificate.
    init?(der: [UInt8]) {
        let certificate = der.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_X509(nil, &position, bytes.count)
        }
        guard let certificate else { return nil }
        defer { X509_free(certificate) }
        name = Self.name(of: certificate)
        endPointHash = Self.endPointHash(of: certificate)
    }

    // MARK: Channel binding

    private static func endPointHash(of certificate: OpaquePointer) -> [UInt8]? {
        var digestID: Int32 = 0
        guard X509_get_signature_info(certificate, &digestID, nil, nil, nil) == 1 else { return nil }
        let weak = digestID == NID_md5 || digestID == NID_sha1
        guard let digest = weak ? EVP_sha256() : EVP_get_digestbyname(OBJ_nid2sn(digestID)) else { return nil }
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, digest, &hash, &count) == 1 else { return nil }
        return Array(hash.prefix(Int(count)))
    }

    // MARK: Names

    private static func name(of certificate: OpaquePointer) -> CertificateName {
        guard let subject = X509_get_subject_name(certificate) else {
            return CertificateName(commonName: nil, distinguishedName: "")
        }
        return CertificateName(commonName: commonName(in: subject), distinguishedName: distinguishedName(subject))
    }

    private static func commonName(in subject: OpaquePointer) -> String? {
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index), let value = X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&text, value)
        guard count >= 0, let text else { return nil }
        defer { CRYPTO_free(text, #file, #line) }
        let bytes = UnsafeBufferPointer(start: text, count: Int(count))
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func distinguishedName(_ subject: OpaquePointer) -> String {
        guard let output = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(output) }
        guard X509_NAME_print_ex(output, subject, 0, walden_name_flags_rfc2253()) >= 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: Int(clamping: BIO_ctrl_pending(output)))
        let count = BIO_read(output, &bytes, Int32(clamping: bytes.count))
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }
}
