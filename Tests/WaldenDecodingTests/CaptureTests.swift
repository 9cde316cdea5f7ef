import Glibc
import Testing
import WaldenCore
import WaldenDecoding

/// What a real PostgreSQL sent, against what was written there (Captures/record.py).
@Suite struct CaptureTests {
    @Test func recordingsAreThere() {
        #expect(Capture.names.count >= 20)
    }

    @Test(arguments: Capture.names)
    func givesWhatWasWritten(name: String) throws {
        let capture = try Capture(name)
        var decoder = StreamDecoder(protocolVersion: capture.version)
        var lines: [String] = []
        var position = LSN.zero
        for frame in capture.frames {
            guard let event = try decoder.decode(frame.span.bytes) else { continue }
            switch event {
            case .transaction(let transaction):
                #expect(transaction.commitLSN < transaction.endLSN)
                #expect(transaction.endLSN > position)
                #expect(transaction.xid != 0)
                #expect(transaction.commitTime > 0)
                lines.append("transaction \(transaction.changeCount)")
                lines += Rendering.contents(transaction) { capture.relations[$0.rawValue] ?? "?" }
            case .keepalive(let end, _), .progress(let end):
                #expect(end >= position)
            }
            position = decoder.position
        }
        #expect(lines == capture.expected)
        #expect(position == capture.frames.last.flatMap(Capture.keepaliveEnd))
    }

    /// Every strict prefix of every frame is an error, at the place where the whole frame is right.
    @Test(arguments: Capture.names)
    func refusesCutFrames(name: String) throws {
        let capture = try Capture(name)
        var decoder = StreamDecoder(protocolVersion: capture.version)
        for frame in capture.frames {
            for length in 0..<min(frame.count, 400) {
                var copy = decoder
                let prefix = Array(frame.prefix(length))
                #expect(throws: DecodingError.self) { try copy.decode(prefix.span.bytes) }
            }
            _ = try decoder.decode(frame.span.bytes)
        }
    }

    /// One byte of one frame is another: whatever comes of it, nothing traps.
    @Test(arguments: Capture.names)
    func survivesAlteredFrames(name: String) throws {
        let capture = try Capture(name)
        var random = SplitMix64(seed: 7)
        var decoder = StreamDecoder(protocolVersion: capture.version)
        for (index, frame) in capture.frames.enumerated() {
            for _ in 0..<20 {
                var copy = decoder
                var altered = frame
                altered[Int.random(in: altered.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = try? copy.decode(altered.span.bytes)
                for next in capture.frames[index...].prefix(5) { _ = try? copy.decode(next.span.bytes) }
            }
            _ = try decoder.decode(frame.span.bytes)
        }
    }

    /// The same recording read by a decoder of a higher version gives the same: versions only add.
    @Test(arguments: Capture.names)
    func higherVersionsReadTheSame(name: String) throws {
        let capture = try Capture(name)
        for version in capture.version...4 {
            var decoder = StreamDecoder(protocolVersion: version)
            var transactions = 0
            for frame in capture.frames {
                if case .transaction = try decoder.decode(frame.span.bytes) { transactions += 1 }
            }
            #expect(transactions == capture.expected.count { $0.hasPrefix("transaction ") })
        }
    }

    /// With no room for any row, each relation that has one becomes whole, and nothing is lost but detail.
    @Test(arguments: Capture.names)
    func escalatesToTheSameRelations(name: String) throws {
        let capture = try Capture(name)
        var decoder = StreamDecoder(
            protocolVersion: capture.version, limits: StreamLimits(maxChangesPerRelation: 0))
        var relations: Set<String> = []
        for frame in capture.frames {
            guard case .transaction(let transaction) = try decoder.decode(frame.span.bytes) else { continue }
            #expect(transaction.changes.isEmpty)
            relations.formUnion(transaction.wholeRelations.map { capture.relations[$0.rawValue] ?? "?" })
        }
        let expected = capture.expected.filter { !$0.hasPrefix("transaction") && !$0.hasPrefix("message") }
            .compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        #expect(relations.isSuperset(of: expected))
    }
}

/// One recording; the format is described in Captures/record.py.
struct Capture {
    /// Every recording there is.
    static let names: [String] = {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob("\(folder)/*.txt", 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0] }.map { path in
            String(String(cString: path).dropFirst(folder.count + 1).dropLast(4))
        }
    }()

    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/Captures"

    struct Unreadable: Error {
        let line: String
    }

    private(set) var version = 0
    private(set) var relations: [UInt32: String] = [:]
    private(set) var frames: [[UInt8]] = []
    private(set) var expected: [String] = []

    init(_ name: String) throws {
        for line in try Self.lines(of: "\(Self.folder)/\(name).txt") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            switch words.first {
            case "#", nil: continue
            case "v": version = Int(words[1]) ?? 0
            case "@": relations[UInt32(words[1]) ?? 0] = words[2]
            case "=": expected.append(String(line.dropFirst(2)))
            default: frames.append(try Self.bytes(hex: line))
            }
        }
        #expect(!frames.isEmpty && !expected.isEmpty)
    }

    static func keepaliveEnd(_ frame: [UInt8]) -> LSN {
        LSN(frame[1...8].reduce(0) { $0 << 8 | UInt64($1) })
    }

    private static func bytes(hex line: String) throws -> [UInt8] {
        let digits = line.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == line.utf8.count, digits.count.isMultiple(of: 2) else { throw Unreadable(line: line) }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func lines(of path: String) throws -> [String] {
        guard let file = fopen(path, "r") else { throw Unreadable(line: path) }
        defer { fclose(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
