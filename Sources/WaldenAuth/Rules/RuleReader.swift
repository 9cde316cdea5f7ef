import WaldenCore

/// Reads one record of a file in the manner of pg_hba.conf (PostgreSQL `parse_hba_line`). What PostgreSQL understands and
/// Walden does not is refused with the reason: a record that is passed over would let others match.
struct RuleReader {
    private let line: RuleLine
    private let file: String

    init(line: RuleLine, file: String) {
        self.line = line
        self.file = file
    }

    func rule() throws(FileProblem) -> AuthRule {
        let transport = try transport()
        var rest = line.fields.dropFirst()
        guard let databases = rest.popFirst(), let users = rest.popFirst() else {
            throw problem("must be: type, database, user, address unless local, method")
        }
        var addresses = AuthRule.Addresses.all
        if transport != .local { addresses = try self.addresses(&rest) }
        guard let words = rest.popFirst(), words.count == 1 else { throw problem("has no method") }
        var rule = AuthRule(method: try method(words[0].text))
        rule.transport = transport
        rule.databases = try databases.map { (value) throws(FileProblem) in try database(value) }
        rule.users = try self.users(users)
        rule.addresses = addresses
        for option in rest { try apply(option, to: &rule) }
        if rule.certificate != .notAsked, transport != .hostWithTLS {
            throw problem("certificates can be asked for in hostssl records only")
        }
        if rule.map != nil, rule.certificate != .namesUser {
            throw problem("map= needs the method cert or clientcert=verify-full")
        }
        return rule
    }

    private func transport() throws(FileProblem) -> AuthRule.Transport {
        let word = line.fields.first?.first?.text ?? ""
        switch word {
        case "local": return .local
        case "host", "hostnogssenc": return .host
        case "hostssl": return .hostWithTLS
        case "hostnossl": return .hostWithoutTLS
        case "hostgssenc": throw problem("Walden does not speak GSSAPI, so no connection matches hostgssenc")
        case "include", "include_if_exists", "include_dir": throw problem("\(word) is not supported: copy the records")
        default: throw problem("'\(word)' is no type of connection: local, host, hostssl or hostnossl")
        }
    }

    private func database(_ value: RuleLine.Value) throws(FileProblem) -> AuthRule.Databases {
        if value.isKeyword("all") { return .all }
        if value.isKeyword("sameuser") { return .sameUser }
        if value.isKeyword("replication") { return .replication }
        if value.isKeyword("samerole") || value.isKeyword("samegroup") {
            throw problem("\(value.text) is not supported: Walden does not know who is a member of which role")
        }
        return .named(try name(value))
    }

    private func users(_ values: [RuleLine.Value]) throws(FileProblem) -> [String]? {
        if values.contains(where: { $0.isKeyword("all") }) { return nil }
        var names: [String] = []
        for value in values {
            if !value.isQuoted, value.text.hasPrefix("+") {
                throw problem(
                    "'\(value.text)' is not supported: Walden does not know who is a member of which role; name the users"
                )
            }
            names.append(try name(value))
        }
        return names
    }

    private func name(_ value: RuleLine.Value) throws(FileProblem) -> String {
        if !value.isQuoted, value.text.hasPrefix("@") {
            throw problem("'\(value.text)' is not supported: write the names into this file")
        }
        if !value.isQuoted, value.text.hasPrefix("/") {
            throw problem("'\(value.text)' is not supported: names are compared as they are, without expressions")
        }
        return value.text
    }

    private func addresses(_ rest: inout ArraySlice<[RuleLine.Value]>) throws(FileProblem) -> AuthRule.Addresses {
        guard let values = rest.popFirst(), values.count == 1 else { throw problem("must have one address") }
        let value = values[0]
        if value.isKeyword("all") { return .all }
        if value.isKeyword("samehost") { return .sameHost }
        if value.isKeyword("samenet") { throw problem("samenet is not supported: write the network with its length") }
        guard let base = IPAddress(value.text.prefix { $0 != "/" }) else {
            throw problem(
                "'\(value.text)' is no IP address; names are not supported, since looking them up would take time")
        }
        if value.text.contains("/") {
            guard let range = AddressRange(value.text) else {
                throw problem("'\(value.text)' has no valid length of its network")
            }
            return .range(range)
        }
        guard let mask = rest.popFirst(), mask.count == 1, let address = IPAddress(mask[0].text),
            let range = AddressRange(base, mask: address)
        else { throw problem("'\(value.text)' needs the length of its network after a slash, or a mask") }
        return .range(range)
    }

    private func method(_ text: String) throws(FileProblem) -> AuthMethod {
        guard let method = AuthMethod(rawValue: text) else {
            let known = AuthMethod.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem("method '\(text)' is not supported: \(known)")
        }
        return method
    }

    private func apply(_ option: [RuleLine.Value], to rule: inout AuthRule) throws(FileProblem) {
        let text = option.map(\.text).joined(separator: ",")
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count == 2 ? parts[1] : "") {
        case ("clientcert", "verify-full"): rule.certificate = .namesUser
        case ("clientcert", "verify-ca"):
            guard rule.method != .cert else { throw problem("the method cert is always clientcert=verify-full") }
            rule.certificate = .valid
        case ("map", let name) where !name.isEmpty: rule.map = String(name)
        default: throw problem("option '\(parts[0])' is not supported or has no valid value: clientcert, map")
        }
    }

    private func problem(_ reason: String) -> FileProblem {
        FileProblem(file: file, line: line.number, reason: reason)
    }
}

extension AddressRange {
    /// With a mask such as 255.255.255.0; nil for one with a hole, or of the other version.
    fileprivate init?(_ base: IPAddress, mask: IPAddress) {
        let bytes = mask.networkOrder
        let ones = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        let isContiguous = bytes.enumerated().allSatisfy { $1 == Self.maskByte($0, ones) }
        guard mask.bitWidth == base.bitWidth, isContiguous else { return nil }
        self.init(base, prefixLength: ones)
    }

    /// The byte at `index` of a mask of so many ones.
    private static func maskByte(_ index: Int, _ ones: Int) -> UInt8 {
        let bits = min(8, max(0, ones - index * 8))
        return bits == 0 ? 0 : 0xFF << UInt8(8 - bits)
    }
}
