import Testing
import WaldenCore

@testable import WaldenProxy

@Suite struct CertificateTests {
    /// As `openssl dgst` computes them over the DER form.
    static let hashes: [([UInt8], String?)] = [
        (SampleCertificates.sha256, "f6a08e7b02d35baf9faf6dc89641f776625b37b33c0c49fc758dcd8143261ca8"),
        (
            SampleCertificates.sha384,
            "b48b76796de357c73b3127d1e99830e827b9056724e3ec10"
                + "d8861d8221cbf43a4f06cb07911cc509a442c4f076b3bca9"
        ),
        // RFC 5929: SHA-256 in the place of SHA-1.
        (SampleCertificates.weak, "24fd98e5ea474088c1130e8930303c07bb1429856ccb3a35a1ed606442e1fbbf"),
        (SampleCertificates.ed25519, nil),
    ]

    @Test(arguments: hashes)
    func channelBindingUsesTheSignaturesHash(der: [UInt8], hash: String?) throws {
        #expect(try #require(Certificate(der: der)).endPointHash == hash.map { SampleCertificates.bytes($0) })
    }

    @Test func namesAreThoseOfRFC2253() throws {
        let name = try #require(Certificate(der: SampleCertificates.sha256)).name
        #expect(name.commonName == "app")
        #expect(name.distinguishedName == #"CN=app,O=Shop\, Inc"#)
        let foreign = try #require(Certificate(der: SampleCertificates.ed25519)).name
        #expect(foreign.commonName == "Zoë")
    }

    @Test func othersAreNone() {
        #expect(Certificate(der: []) == nil)
        #expect(Certificate(der: [0x30, 0x03, 1, 2, 3]) == nil)
        let bytes = SampleCertificates.sha256
        for count in stride(from: 1, to: bytes.count, by: 7) {
            #expect(Certificate(der: Array(bytes[..<count])) == nil)
        }
    }

    /// CVE-2009-4034: what follows a zero byte in a name must not be overlooked.
    @Test func nameWithAZeroByteIsNone() throws {
        var der = SampleCertificates.sha256
        let name = Array("app".utf8)
        for start in der.indices.dropLast(2) where Array(der[start..<(start + 3)]) == name { der[start + 1] = 0 }
        #expect(try #require(Certificate(der: der)).name.commonName == nil)
    }
}
