import Glibc
import WaldenTestKit

/// What the demo prints: titles in bold on a terminal, figures in columns.
enum Show {
    private static let isTerminal = isatty(1) == 1
    private static let labelWidth = 34

    /// One line, at once also into a pipe.
    static func out(_ text: String) {
        print(text)
        fflush(nil)
    }

    static func title(_ text: String) {
        out(bold(text))
        out("")
    }

    static func scene(_ number: Int, _ text: String) {
        out("")
        out(bold("\(number)  \(text)"))
    }

    static func line(_ text: String) {
        out("   \(text)")
    }

    static func blank() {
        out("")
    }

    /// A label on the left, figures to the right of it.
    static func row(_ label: String, _ figures: String...) {
        out("   " + left(label, labelWidth) + figures.map { right($0, 14) }.joined())
    }

    static func number(_ value: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard scaled.magnitude < 9e15 else { return "\(value)" }
        let whole = Int(scaled)
        let unit = Int(scale)
        let sign = whole < 0 ? "-" : ""
        let integral = grouped(whole.magnitude / unit.magnitude)
        guard places > 0 else { return sign + integral }
        let fraction = String(whole.magnitude % unit.magnitude)
        return sign + integral + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    static func milliseconds(_ duration: Duration) -> String {
        number(duration.inSeconds * 1000, places: 2) + " ms"
    }

    /// How many times more the second is.
    static func factor(_ base: Double, _ value: Double) -> String {
        base > 0 ? number(value / base, places: value / base < 10 ? 1 : 0) + " ×" : "–"
    }

    private static func grouped(_ value: UInt) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    private static func bold(_ text: String) -> String {
        isTerminal ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
