extension DSN {
    /// What libpq is given for one connection. The string's own words win, except for what Walden depends on.
    func parameters(for options: Connection.Options) -> [(key: String, value: String)] {
        var parameters = parameters(adding: [
            "application_name": options.applicationName,
            // A server whose host vanished is noticed after about 20 s instead of the system's 2 hours.
            "keepalives": "1",
            "keepalives_idle": "10",
            "keepalives_interval": "5",
            "keepalives_count": "2",
        ])
        parameters["client_encoding"] = "UTF8"
        if options.isReplication { parameters["replication"] = "database" }
        let settings = options.settings.map { "-c \($0.name)=\(Self.escapedOption($0.value))" }
        if !settings.isEmpty {
            parameters["options"] = ([parameters["options"]].compactMap { $0 } + settings).joined(separator: " ")
        }
        return parameters.sorted { $0.key < $1.key }
    }

    /// In `options`, a backslash takes the meaning from a space or a backslash.
    private static func escapedOption(_ value: String) -> String {
        String(value.flatMap { $0 == " " || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
