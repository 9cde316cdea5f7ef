import Testing
import WaldenCore
import WaldenWire

/// Each message stands after two bytes of another one, so that ranges are those of the whole buffer.
private let lead: [UInt8] = [0, 9]

/// What all views share, so that one helper makes them.
private protocol MessageView {
    init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError)
}

extension QueryView: MessageView {}
extension ParseView: MessageView {}
extension BindView: MessageView {}
extension DescribeView: MessageView {}
extension CloseView: MessageView {}
extension ExecuteView: MessageView {}

private func viewed<View: MessageView>(_ type: View.Type, of message: some FrontendMessage) -> (View, [UInt8])? {
    let bytes = lead + message.encoded() + [0, 1, 0]
    let body = (lead.count + MessageHeader.byteCount)..<(bytes.count - 3)
    guard let view = try? View(in: bytes.span.bytes, body: body) else { return nil }
    return (view, bytes)
}

@Suite("Views find the parts of a message where they lie")
struct ViewTests {
    @Test("Query")
    func query() throws {
        let (view, bytes) = try #require(viewed(QueryView.self, of: Query("SELECT 1")))
        #expect(view.text == 7..<15)
        #expect(bytes[view.text].elementsEqual(ascii("SELECT 1")))
        #expect(try #require(viewed(QueryView.self, of: Query(""))).0.text.isEmpty)
    }

    @Test("Parse")
    func parse() throws {
        let message = Parse(name: "st", query: "SELECT $1, $2", parameterTypes: [.int8, .unspecified])
        let (view, bytes) = try #require(viewed(ParseView.self, of: message))
        #expect(bytes[view.name].elementsEqual(ascii("st")))
        #expect(bytes[view.query].elementsEqual(ascii("SELECT $1, $2")))
        #expect(view.parameterTypeCount == 2)
        #expect(bytes[view.parameterTypes].elementsEqual(int32(20) + int32(0)))
        #expect(try view.parameterType(at: 0, in: bytes.span.bytes) == .int8)
        #expect(try view.parameterType(at: 1, in: bytes.span.bytes) == .unspecified)
    }

    @Test("a parameter type that Parse does not give, or of other bytes, is an error", arguments: [-1, 1, .max])
    func parameterTypeOutOfRange(index: Int) throws {
        let (view, bytes) = try #require(
            viewed(ParseView.self, of: Parse(query: "q", parameterTypes: [.int4]))
        )
        #expect(throws: WireError.self) { try view.parameterType(at: index, in: bytes.span.bytes) }
        #expect(throws: WireError.self) { try view.parameterType(at: 0, in: [UInt8]([1, 2]).span.bytes) }
    }

    @Test("Bind: the names, and the rest untouched")
    func bind() throws {
        let message = Bind(portal: "po", statement: "st", values: [ascii("x")], resultFormats: [.binary])
        let (view, bytes) = try #require(viewed(BindView.self, of: message))
        #expect(bytes[view.portal].elementsEqual(ascii("po")))
        #expect(bytes[view.statement].elementsEqual(ascii("st")))
        let rest = int16(0) + int16(1) + int32(1) + ascii("x") + int16(1) + int16(1)
        #expect(bytes[view.rest].elementsEqual(rest))
    }

    @Test("the names of a Bind are found even when what follows is broken; the walk reports it")
    func bindBroken() {
        let bytes: [UInt8] = ascii("p\0s\0") + [0xFF]
        let view = result { () throws(WireError) in try BindView(in: bytes.span.bytes, body: 0..<5) }
        #expect(view.value?.rest == 4..<5)
        let walk = result { () throws(WireError) in
            try BindView(in: bytes.span.bytes, body: 0..<5).parameters(in: bytes.span.bytes)
        }
        #expect(walk.code == .malformed(tag: 0x42, .truncated))
    }

    @Test("two Binds of equal values have equal rests, whatever their names")
    func bindRestIsKey() throws {
        let one = Bind(portal: "", statement: "a", values: [ascii("1"), nil])
        let other = Bind(portal: "pp", statement: "bbb", values: [ascii("1"), nil])
        let (first, firstBytes) = try #require(viewed(BindView.self, of: one))
        let (second, secondBytes) = try #require(viewed(BindView.self, of: other))
        #expect(firstBytes[first.rest].elementsEqual(secondBytes[second.rest]))
    }

    private func walked(_ message: Bind) -> (parameters: BindParameters, bytes: [UInt8])? {
        guard let (view, bytes) = viewed(BindView.self, of: message),
            let parameters = try? view.parameters(in: bytes.span.bytes)
        else { return nil }
        return (parameters, bytes)
    }

    @Test("values of a Bind: one format for all, or one for each")
    func bindValues() throws {
        let values: [[UInt8]?] = [ascii("ab"), nil, []]
        for (formats, binary) in [
            ([], [false, false, false]), ([.text], [false, false, false]), ([.binary], [true, true, true]),
            ([.text, .binary, .text], [false, true, false]),
        ] as [([FormatCode], [Bool])] {
            let message = Bind(parameterFormats: formats, values: values, resultFormats: [.binary, .text])
            let (parameters, bytes) = try #require(walked(message))
            #expect(parameters.values.map(\.isBinary) == binary)
            #expect(parameters.values.map { $0.value.map { Array(bytes[$0]) } } == values)
            #expect(parameters.resultFormats == [.binary, .text])
        }
    }

    @Test("a Bind may have as many values as PostgreSQL allows, above what Int16 holds")
    func manyValues() throws {
        let message = Bind(values: Array(repeating: nil, count: 65_535))
        let (parameters, _) = try #require(walked(message))
        #expect(parameters.values.count == 65_535)
    }

    @Test("a single format is allowed without values, several are not")
    func formatCounts() {
        #expect(walked(Bind(parameterFormats: [.binary])) != nil)
        let broken = Bind(parameterFormats: [.binary, .text], values: [nil])
        #expect(
            decode(Bind.self, body(of: broken.encoded())).code == .parameterFormatCount(formats: 2, parameters: 1)
        )
    }

    @Test("Describe and Close")
    func describeAndClose() throws {
        let (describe, bytes) = try #require(viewed(DescribeView.self, of: Describe(.statement, name: "st")))
        #expect(describe.kind == .statement)
        #expect(bytes[describe.name].elementsEqual(ascii("st")))
        let (close, _) = try #require(viewed(CloseView.self, of: Close(.portal)))
        #expect(close.kind == .portal)
        #expect(close.name.isEmpty)
    }

    @Test("Execute")
    func execute() throws {
        let (view, bytes) = try #require(viewed(ExecuteView.self, of: Execute(portal: "po", maxRows: 7)))
        #expect(bytes[view.portal].elementsEqual(ascii("po")))
        #expect(view.maxRows == 7)
    }

    @Test("views do not ask for UTF-8: names and text are in the client's encoding")
    func latin1() throws {
        let body: [UInt8] = [0xE9, 0, 0xE8, 0] + int16(0)
        let view = result { () throws(WireError) in try ParseView(in: body.span.bytes, body: 0..<body.count) }
        #expect(view.value?.name == 0..<1)
        #expect(view.value?.query == 2..<3)
        #expect(decode(Parse.self, body).code == .malformed(tag: 0x50, .invalidText))
    }

    @Test("a body range beyond the bytes, or before them, is cut to them", arguments: [0..<900, -4..<900, 800..<900])
    func clamped(range: Range<Int>) {
        let bytes = ascii("q\0")
        let view = result { () throws(WireError) in try QueryView(in: bytes.span.bytes, body: range) }
        #expect(view.value != nil || view.code == .malformed(tag: 0x51, .unterminatedString))
    }
}
