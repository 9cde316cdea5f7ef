extension Setting {
    static let auth = [
        choice(
            "auth.method", \.auth.method, AuthChoices.methods,
            "relay: the server authenticates clients through Walden, each with a server connection of its own. Else "
                + "Walden does, and server connections are pooled: hba, as auth.hba_file says; any other method, all "
                + "clients alike."),
        file("auth.hba_file", \.auth.rulesFile, "Who is authenticated how, in the manner of pg_hba.conf."),
        file(
            "auth.ident_file", \.auth.mapFile,
            "Which names in certificates may be which users, in the manner of pg_ident.conf."),
        file(
            "auth.user_file", \.auth.userFile,
            "Users and their passwords, MD5 digests or SCRAM verifiers, as in PgBouncer's userlist.txt. It comes before "
                + "auth.query."),
        Setting(
            key: "auth.query", form: "SQL",
            help:
                "Asks the primary, as the role of its connection string, what it keeps of the password of the role $1. "
                + "off: only auth.user_file counts.",
            show: { [$0.auth.query] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard texts[0] == "off" || texts[0].contains("$1") else {
                    throw Quantity.Malformed(reason: "must hold $1, the role's name, or be off")
                }
                configuration.auth.query = texts[0]
            }),
        duration(
            "auth.cache", \.auth.cacheLifetime, .zero ... .seconds(3_600), isReloadable: true,
            "How long an answer to auth.query is used again. Who fails against such an answer has it asked anew; by SCRAM "
                + "a changed password takes effect with the attempt after that. 0: it is asked each time."),
        count(
            "auth.threads", \.auth.threads, 1...64,
            "Threads that run auth.query and compute what passwords in clear and SCRAM need."),
    ]
}
