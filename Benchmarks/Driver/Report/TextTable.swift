import Glibc

/// Columns as wide as their widest cell; all but the first are flush right.
struct TextTable {
    private var lines: [[String]]

    init(header: [String]) {
        lines = [header]
    }

    mutating func add(_ cells: [String]) {
        lines.append(cells)
    }

    func print() {
        let width = lines.map(\.count).max() ?? 0
        let widths = (0..<width).map { column in
            lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        for line in lines {
            let cells = line.enumerated().map { column, cell in
                let blank = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + blank : blank + cell
            }
            Swift.print("  " + cells.joined(separator: "  "))
        }
        fflush(nil)
    }

    /// In the form that the documentation's tables have, to be pasted there.
    func printMarkdown() {
        for (index, line) in lines.enumerated() {
            Swift.print("| " + line.joined(separator: " | ") + " |")
            if index == 0 { Swift.print("|" + String(repeating: "---|", count: line.count)) }
        }
        fflush(nil)
    }
}
