import Testing
import WaldenWire

@Suite("Sessions recorded from PostgreSQL's own clients and server")
struct RecordedSessionTests {
    @Test(
        "every message is told rightly and written back byte for byte",
        arguments: [
            (Recordings.startup, false, 29), (Recordings.script, true, 40), (Recordings.prepared, true, 23),
            (Recordings.largeObject, true, 16), (Recordings.canceled, true, 5), (Recordings.cancelRequest, false, 1),
            (Recordings.refused, false, 6),
        ])
    func session(recording: String, isStarted: Bool, count: Int) throws {
        var transcript = Transcript(isStarted: isStarted)
        let entries = Transcript.entries(of: recording)
        #expect(entries.count == count)
        for entry in entries {
            let (text, encoded) = try transcript.read(entry)
            #expect(text == entry.expected)
            #expect(encoded == entry.bytes)
        }
    }
}
