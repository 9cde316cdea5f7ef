/// One command, for `SHOW HELP` and the documentation.
struct HelpRow: ConsoleRow {
    let command: String
    let meaning: String

    static let columns: [RowColumn<HelpRow>] = [
        .text("command", "in upper case what is written so; in either case it is read") { $0.command },
        .text("meaning", "") { $0.meaning },
    ]

    static let all = views + commands

    private static let views = ConsoleView.allCases.map {
        HelpRow(command: "SHOW \($0.rawValue)", meaning: $0.summary)
    }

    private static let commands = [
        HelpRow(command: "RELOAD", meaning: "read the configuration again, as on SIGHUP"),
        HelpRow(command: "FLUSH [CACHE]", meaning: "empty the result cache"),
        HelpRow(command: "FLUSH relation", meaning: "drop the results that read a table, view or materialized view"),
        HelpRow(command: "PAUSE [db]", meaning: "let transactions end and give out no more servers"),
        HelpRow(command: "RESUME [db]", meaning: "give out servers again, after PAUSE"),
        HelpRow(command: "RECONNECT [db]", meaning: "replace each server connection when its client is done with it"),
        HelpRow(
            command: "KILL [db]",
            meaning: "close the clients' connections at once, "
                + "whatever is under way; pools are paused until RESUME"),
        HelpRow(command: "KILL_CLIENT id", meaning: "close one client's connection at once"),
    ]
}
