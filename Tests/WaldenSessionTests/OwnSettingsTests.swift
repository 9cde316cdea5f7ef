import Testing
import WaldenCore

@testable import WaldenSession

/// Walden's own settings. A value that is not understood counts as the safest one, and the client is told.
@Suite struct OwnSettingsTests {
    private func settings(_ values: [String: String]) -> OwnSettings { OwnSettings { values[$0] } }

    @Test(
        arguments: [
            ("primary", .primary, false), ("Replica", .replica, false), ("auto", .auto, false), ("", .auto, false),
            ("standby", .primary, true),
        ] as [(String, RoutePreference, Bool)])
    func route(text: String, expected: RoutePreference, isMisunderstood: Bool) {
        let settings = settings(["walden.route": text])
        #expect(settings.route == expected)
        #expect((settings.misunderstood != nil) == isMisunderstood)
    }

    @Test(
        arguments: [("500ms", .milliseconds(500), false), ("", nil, false), ("2", .zero, true), ("soon", .zero, true)]
            as [(String, Duration?, Bool)])
    func maxLag(text: String, expected: Duration?, isMisunderstood: Bool) {
        let settings = settings(["walden.max_lag": text])
        #expect(settings.maxLag == expected)
        #expect((settings.misunderstood != nil) == isMisunderstood)
    }

    @Test func withoutThem() {
        #expect(settings([:]) == OwnSettings())
        #expect(settings([:]).route == .auto)
    }
}
