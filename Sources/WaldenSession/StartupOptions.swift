/// The `options` startup parameter: command-line arguments for the backend (PostgreSQL `postinit.c`,
/// `pg_split_opts`; `postgres.c`, `process_postgres_switches`).
enum StartupOptions {
    /// The settings it assigns, names in lower case with `-` as `_`; nil when it holds any other switch.
    static func assignments(in options: String) -> [(name: String, value: String)]? {
        var result: [(name: String, value: String)] = []
        var arguments = split(options)[...]
        while let argument = arguments.popFirst() {
            let assignment: Substring
            if argument == "-c" {
                guard let next = arguments.popFirst() else { return nil }
                assignment = next[...]
            } else if argument.hasPrefix("--") || argument.hasPrefix("-c") {
                assignment = argument.dropFirst(2)
            } else {
                return nil
            }
            guard let separator = assignment.firstIndex(of: "="), separator > assignment.startIndex else { return nil }
            let name = assignment[..<separator].lowercased().map { $0 == "-" ? "_" : $0 }
            result.append((String(name), String(assignment[assignment.index(after: separator)...])))
        }
        return result
    }

    /// Splits at white space; a backslash makes the next character literal.
    static func split(_ options: String) -> [String] {
        var words: [String] = []
        var word = ""
        var inWord = false
        var escaped = false
        for character in options.unicodeScalars {
            if escaped {
                word.unicodeScalars.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
                inWord = true
            } else if character.properties.isWhitespace {
                if inWord { words.append(word) }
                word = ""
                inWord = false
            } else {
                word.unicodeScalars.append(character)
                inWord = true
            }
        }
        if inWord { words.append(word) }
        return words
    }
}
