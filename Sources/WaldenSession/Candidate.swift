import WaldenCore
import WaldenDependency
import WaldenWire

/// A complete unit at the front of the client's input that has the shape of one statement with one whole result:
/// `Query`, or `[Parse] Bind [Describe portal] Execute [Close portal] Sync` on the unnamed portal without a row limit.
struct Candidate {
    enum Source {
        /// Where the text stands in the input.
        case query(text: Range<Int>)
        /// The statement executed, and where formats, values and result formats stand in the input.
        case execution(PreparedStatement, binding: BindView)
    }

    /// Where the Bind begins, and how long it is.
    var bind = 0..<0

    let byteCount: Int
    let source: Source
    /// The unit holds the statement's own Parse.
    let parses: Bool
    let describes: Bool
    let closesPortal: Bool
    /// Of its text, once it is known that nothing comes between it and the unit's bytes being sent.
    var analysis: StatementAnalysis?
}

enum CandidateScan {
    case incomplete
    /// Not of that shape: forward message by message.
    case other(Bypass)
    case found(Candidate)
}

extension SessionMachine {
    /// Looks for an extended-protocol candidate at the front of `input`. Messages are only looked at, not consumed.
    mutating func scanExecution(_ input: borrowing RawSpan) throws(WireError) -> CandidateScan {
        var position = 0
        var statement: PreparedStatement?
        var binding: BindView?
        var parses = false
        var describes = false
        var executes = false
        var closesPortal = false
        var bind = 0..<0
        while let header = try MessageHeader.parse(input, at: position, limit: limits.messageBytes) {
            guard position + header.byteCount <= limits.heldBytes else { return .other(.tooLong) }
            let end = position + header.byteCount
            guard end <= input.byteCount else { return .incomplete }
            let body = (position + MessageHeader.byteCount)..<end
            switch FrontendTag(rawValue: header.tag) {
            case .parse where position == 0:
                guard let own = try scanParse(input, message: 0..<end) else { return .other(.pipeline) }
                statement = own
                parses = true
            case .bind where binding == nil:
                let view = try BindView(in: input, body: body)
                guard view.portal.isEmpty else { return .other(.pipeline) }
                if let statement {
                    guard input.holds(statement.name, at: view.statement) else { return .other(.pipeline) }
                } else {
                    statement = executed(view.statement, in: input)
                }
                if statement == nil { return .other(.unknownStatement) }
                binding = view
                bind = position..<end
            case .describe where binding != nil && !describes && !executes:
                let view = try DescribeView(in: input, body: body)
                guard view.kind == .portal, view.name.isEmpty else { return .other(.pipeline) }
                describes = true
            case .execute where binding != nil && !executes:
                let view = try ExecuteView(in: input, body: body)
                guard view.portal.isEmpty, view.maxRows <= 0 else { return .other(.pipeline) }
                executes = true
            case .close where executes && !closesPortal:
                let view = try CloseView(in: input, body: body)
                guard view.kind == .portal, view.name.isEmpty else { return .other(.pipeline) }
                closesPortal = true
            case .sync:
                guard executes, let statement, let binding else { return .other(.pipeline) }
                let source = Candidate.Source.execution(statement, binding: binding)
                return .found(
                    Candidate(
                        bind: bind, byteCount: end, source: source, parses: parses, describes: describes,
                        closesPortal: closesPortal))
            default:
                return .other(.pipeline)
            }
            position = end
        }
        return .incomplete
    }

    /// An execution at the front that other messages than Sync follow: `[Parse] Bind [Describe portal] Execute`.
    mutating func leadingExecution(_ input: borrowing RawSpan) throws(WireError) -> Candidate? {
        var position = 0
        var statement: PreparedStatement?
        var binding: BindView?
        var parses = false
        var describes = false
        while let header = try MessageHeader.parse(input, at: position, limit: limits.messageBytes) {
            let end = position + header.byteCount
            guard header.byteCount <= limits.heldBytes, end <= input.byteCount else { return nil }
            let body = (position + MessageHeader.byteCount)..<end
            switch FrontendTag(rawValue: header.tag) {
            case .parse where position == 0:
                statement = try scanParse(input, message: 0..<end)
                if statement == nil { return nil }
                parses = true
            case .bind where binding == nil:
                let view = try BindView(in: input, body: body)
                guard view.portal.isEmpty else { return nil }
                if let statement {
                    guard input.holds(statement.name, at: view.statement) else { return nil }
                } else {
                    statement = executed(view.statement, in: input)
                }
                binding = view
            case .describe where binding != nil && !describes:
                let view = try DescribeView(in: input, body: body)
                guard view.kind == .portal, view.name.isEmpty else { return nil }
                describes = true
            case .execute:
                let view = try ExecuteView(in: input, body: body)
                guard view.portal.isEmpty, view.maxRows <= 0, let statement, let binding, end < input.byteCount,
                    FrontendTag(rawValue: input.byte(at: end)) != .sync
                else { return nil }
                return Candidate(
                    byteCount: end, source: .execution(statement, binding: binding), parses: parses,
                    describes: describes, closesPortal: false)
            default: return nil
            }
            position = end
        }
        return nil
    }

    /// The statement that the Parse message in `message` defines; nil when its name is taken, which is an error that
    /// the server is to report.
    private mutating func scanParse(
        _ input: borrowing RawSpan, message: Range<Int>
    ) throws(WireError) -> PreparedStatement? {
        let view = try ParseView(in: input, body: (message.lowerBound + MessageHeader.byteCount)..<message.upperBound)
        if view.name.isEmpty {
            // Drivers that never name a statement send the same Parse with every execution.
            if let known = statements.find(view.name, in: input), input.holds(known.parseMessage, at: message) {
                return known
            }
        } else if isTaken(view.name, in: input) || statements.isFull {
            return nil
        }
        return PreparedStatement(parsing: view, message: message, in: input)
    }

    /// Whether a Parse of that name is an error. Where statements are renamed, the server would not notice.
    private mutating func isTaken(_ name: Range<Int>, in input: borrowing RawSpan) -> Bool {
        guard isPooled else { return statements.contains(name, in: input) }
        if case .none = known(name, in: input) { return false }
        return true
    }

    /// The statement that a Bind at the front of a unit names, as far as it is held.
    private mutating func executed(_ name: Range<Int>, in input: borrowing RawSpan) -> PreparedStatement? {
        guard isPooled else { return statements.find(name, in: input) }
        if case .statement(let statement) = known(name, in: input) { return statement }
        return nil
    }

    /// Completes `key` for `candidate`.
    mutating func appendKey(of candidate: Candidate, in input: borrowing RawSpan) {
        switch candidate.source {
        case .query(let text):
            key.append(0)
            key.append(input, text)
        case .execution(let statement, let binding):
            key.append(candidate.describes ? 2 : 1)
            key += statement.parseMessage[statement.text.lowerBound..<statement.types.upperBound]
            key.append(input, binding.rest)
        }
    }

    /// The parameters of an execution and the formats it wants its result in.
    ///
    /// - Throws: when the message does not hold what it declares.
    func parameters(
        of statement: PreparedStatement, _ binding: BindView, in input: borrowing RawSpan
    ) throws(WireError) -> (values: [BoundParameter], resultFormats: [FormatCode]) {
        var result: [BoundParameter] = []
        let parameters = try binding.parameters(in: input)
        for (index, parameter) in parameters.values.enumerated() {
            result.append(
                BoundParameter(
                    type: statement.parameterType(at: index),
                    isBinary: parameter.isBinary,
                    bytes: parameter.value.map { input.copy($0) }))
        }
        return (result, parameters.resultFormats)
    }
}

extension PreparedStatement {
    /// Copies the Parse message that stands in `message`, all of it in `input`.
    convenience init(parsing view: ParseView, message: Range<Int>, in input: borrowing RawSpan) {
        let start = message.lowerBound
        self.init(
            parseMessage: input.copy(message),
            name: input.copy(view.name),
            text: (view.query.lowerBound - start)..<(view.query.upperBound - start),
            types: (view.query.upperBound + 1 - start)..<(message.upperBound - start),
            isOnServer: false)
    }
}

extension [UInt8] {
    mutating func append(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        bytes.extracting(range).withUnsafeBytes { append(contentsOf: $0) }
    }
}
