/// Which names in certificates may be which users: the records of a file in the manner of pg_ident.conf, each a map, a name
/// of the certificate and a user (PostgreSQL documentation, User Name Maps).
public struct UserMaps: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        let map: String
        let name: String
        /// Nil: any (`all`, since PostgreSQL 16).
        let user: String?
    }

    private var entries: [Entry] = []

    public init() {}

    public init(content: String, file: String) throws(FileProblem) {
        for line in try RuleLine.read(content, file: file) {
            guard line.fields.count == 3, line.fields.allSatisfy({ $0.count == 1 }) else {
                throw FileProblem(file: file, line: line.number, reason: "must be: map, name in the certificate, user")
            }
            let values = line.fields.map { $0[0] }
            if let value = values.first(where: { !$0.isQuoted && ($0.text.hasPrefix("/") || $0.text.hasPrefix("+")) }) {
                throw FileProblem(
                    file: file, line: line.number,
                    reason: "'\(value.text)' is not supported: neither expressions nor members of a role are known here"
                )
            }
            entries.append(
                Entry(
                    map: values[0].text, name: values[1].text,
                    user: values[2].isKeyword("all") ? nil : values[2].text))
        }
    }

    /// Whether who shows a certificate of this name may be this user: without a map only if both are the same.
    func allow(_ name: String, as user: String, map: String?) -> Bool {
        guard let map else { return name.utf8.elementsEqual(user.utf8) }
        return entries.contains { entry in
            entry.map == map && entry.name.utf8.elementsEqual(name.utf8)
                && (entry.user.map { $0.utf8.elementsEqual(user.utf8) } ?? true)
        }
    }
}
