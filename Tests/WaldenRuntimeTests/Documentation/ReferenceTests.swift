import Testing
import WaldenAdmin
import WaldenConsole

@testable import WaldenRuntime

/// docs/operating.md holds the tables that the program itself would print. When one changes, the new one is in the
/// failure's message, to be copied.
@Suite struct ReferenceTests {
    @Test func operatingGuideHasTheSettings() throws {
        #expect(try OperatingGuide.text().contains(Configuration.reference), "\(Configuration.reference)")
    }

    @Test func operatingGuideHasTheMetrics() throws {
        #expect(try OperatingGuide.text().contains(MetricsReference.markdown), "\(MetricsReference.markdown)")
    }

    @Test func operatingGuideHasTheViewsOfTheConsole() throws {
        #expect(try OperatingGuide.text().contains(ConsoleReference.markdown), "\(ConsoleReference.markdown)")
    }

    @Test func helpNamesEverySettingInNarrowLines() {
        for setting in Setting.all { #expect(Configuration.help.contains("  \(setting.flag) \(setting.form)\n")) }
        #expect(Configuration.help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
