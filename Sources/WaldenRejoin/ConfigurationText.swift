/// Lines of PostgreSQL's configuration files.
public enum ConfigurationText {
    /// The content of `postgresql.auto.conf` for a standby: what it says, but for whom it follows.
    public static func following(
        _ content: String, upstream: String, applicationName: String, slot: String?
    ) -> String {
        var lines = content.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeAll { line in ["primary_conninfo", "primary_slot_name"].contains(settingName(line)) }
        while lines.last?.isEmpty == true { lines.removeLast() }
        let conninfo = "\(upstream) application_name=\(conninfoQuoted(applicationName))"
        lines.append("primary_conninfo = \(quoted(conninfo))")
        if let slot { lines.append("primary_slot_name = \(quoted(slot))") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// In lower case, as names are compared; nil for a comment or an empty line.
    static func settingName(_ line: String) -> String? {
        let name = line.drop { $0 == " " || $0 == "\t" }
            .prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
        return name.isEmpty ? nil : name.lowercased()
    }

    /// As a value in a configuration file, where quotes and backslashes are doubled.
    static func quoted(_ value: String) -> String {
        "'" + value.map { $0 == "'" || $0 == "\\" ? "\($0)\($0)" : String($0) }.joined() + "'"
    }

    /// As a value in a connection string.
    static func conninfoQuoted(_ value: String) -> String {
        "'" + value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }
}
