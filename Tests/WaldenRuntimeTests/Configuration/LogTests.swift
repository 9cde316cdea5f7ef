import Logging
import Testing

@testable import WaldenRuntime

/// Lines as people and machines read them.
@Suite struct LogTests {
    private let time = "2026-01-02T03:04:05.678Z"

    private func line(
        isJSON: Bool, _ message: String, _ metadata: Logger.Metadata = [:], part: String? = nil
    ) -> String {
        var handler = LineHandler(isJSON: isJSON, level: LogLevel("info"))
        if let part { handler[metadataKey: "part"] = "\(part)" }
        let event = LogEvent(
            level: .warning, message: "\(message)", error: nil, metadata: metadata, source: "", file: "", function: "",
            line: 0)
        return handler.line(event, time: time)
    }

    @Test func textForPeople() {
        let text = line(isJSON: false, "nothing is cached", ["reason": "no slot is free", "try": "3"], part: "stream")
        #expect(text == "\(time) warning stream: nothing is cached reason=\"no slot is free\" try=3\n")
    }

    @Test func objectForMachines() {
        let text = line(isJSON: true, "nothing is cached", ["reason": "no \"slot\""], part: "stream")
        #expect(
            text == #"{"time":"\#(time)","level":"warning","message":"nothing is cached","part":"stream","#
                + #""reason":"no \"slot\""}"# + "\n")
    }

    @Test(arguments: ["a\nb", "a\rb", "a\u{1B}[2Jb", "a\u{7F}b", "\n", "a\tb\0c"], [true, false])
    func nothingBreaksALine(text: String, isJSON: Bool) {
        let line = line(isJSON: isJSON, text, ["key": "\(text)"], part: "proxy")
        let controls = line.unicodeScalars.filter { $0.value < 0x20 || $0.value == 0x7F }
        #expect(controls.map(\.value) == [0x0A])
        #expect(line.hasSuffix("\n"))
    }

    @Test func theEventsMetadataWins() {
        var handler = LineHandler(isJSON: false, level: LogLevel("info"))
        handler[metadataKey: "client"] = "1"
        let event = LogEvent(
            level: .info, message: "m", error: nil, metadata: ["client": "2"], source: "", file: "", function: "",
            line: 0)
        #expect(handler.line(event, time: time) == "\(time) info m client=2\n")
    }

    @Test func theLevelMayChangeWhileTheProcessRuns() {
        let level = LogLevel("error")
        let logger = LogSetup.logger(format: "text", level: level).part("proxy")
        #expect(logger.logLevel == .error)
        level.set("debug")
        #expect(logger.logLevel == .debug)
        level.set("loud")
        #expect(logger.logLevel == .debug)
    }
}
