extension DSN {
    /// The connection string as a service file of libpq (PostgreSQL documentation, "The Connection Service File"), so that
    /// programs are given the service's name and no secret stands on a command line. Holds secrets.
    ///
    /// - Throws: when a value cannot be said in such a file, where a line's end is the value's end.
    package func serviceFile(named service: String) throws(PostgresError) -> String {
        let parameters = parameters(adding: ["dbname": "postgres"])
        let lines = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        guard !lines.contains(where: { $0.contains(where: \.isNewline) }) else {
            throw PostgresError(.invalidDSN, "a value has a line feed")
        }
        return "[\(service)]\n" + lines.map { $0 + "\n" }.joined()
    }
}
