/// Every view with its columns, as docs/operating.md has it.
public enum ConsoleReference {
    public static var markdown: String {
        var shown: [ObjectIdentifier: String] = [:]
        return ConsoleView.allCases.map { view in
            let title = "#### SHOW \(view.rawValue)\n" + sentence(view.summary) + "\n\n"
            let kind = ObjectIdentifier(view.row)
            if let other = shown[kind] { return title + "Columns: as `SHOW \(other)`.\n\n" }
            shown[kind] = view.rawValue
            let rows = view.meanings.map { "| `\($0.column.name)` | \($0.column.type.name) | \($0.meaning) |\n" }
            return title + "| column | type | meaning |\n|---|---|---|\n" + rows.joined() + "\n"
        }.joined()
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
}
