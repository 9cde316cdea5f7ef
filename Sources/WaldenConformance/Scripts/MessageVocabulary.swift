import WaldenTestKit

extension MessageReader {
    /// The message of that name (PostgreSQL documentation, "Message Formats").
    static func outgoing(_ name: String, _ arguments: inout Arguments) throws(ScriptError) -> Outgoing {
        switch name {
        case "SSLRequest": return .bytes(FrontendMessage.sslRequest, opens: true)
        case "GSSENCRequest": return .bytes(FrontendMessage.gssEncryptionRequest, opens: true)
        case "Startup": return .bytes(try startup(&arguments), opens: true)
        case "Cancel":
            let isForged = arguments.takeText("key") == "forged"
            return .cancel(of: try arguments.takeValue().text, isForged: isForged)
        case "Opening": return .bytes(try arguments.takeValue().bytes, opens: true)
        case "Bytes": return .bytes(try arguments.takeValue().bytes, opens: false)
        default: return .bytes(try message(name, &arguments), opens: false)
        }
    }

    private static func startup(_ arguments: inout Arguments) throws(ScriptError) -> [UInt8] {
        let version = (arguments.takeText("version") ?? "3.0").split(separator: ".")
        guard version.count == 2 else { throw arguments.problem("a version is written as: 3.2") }
        let major: Int32 = try arguments.integer(String(version[0]))
        let minor: Int32 = try arguments.integer(String(version[1]))
        let parameters = arguments.named.map { ($0.key, $0.values.first.flatMap { $0?.text } ?? "") }
        arguments.named = []
        return FrontendMessage.startup(parameters, version: major << 16 | minor)
    }

    private static func message(_ name: String, _ arguments: inout Arguments) throws(ScriptError) -> [UInt8] {
        switch name {
        case "Query": return FrontendMessage.query(try arguments.takeValue().text)
        case "Parse":
            let types = try arguments.takeIntegers("types", as: Int32.self)
            let statement = arguments.takeText("name") ?? ""
            return FrontendMessage.parse(try arguments.takeValue().text, name: statement, types: types)
        case "Bind": return try bind(&arguments)
        case "Describe":
            let (kind, name) = try target(&arguments)
            return kind == "S"
                ? FrontendMessage.describe(statement: name) : FrontendMessage.describe(portal: name)
        case "Close":
            let (kind, name) = try target(&arguments)
            return kind == "S" ? FrontendMessage.close(statement: name) : FrontendMessage.close(portal: name)
        case "Execute":
            let maxRows = try arguments.takeIntegers("max", as: Int32.self).first ?? 0
            return FrontendMessage.execute(portal: arguments.takeText("portal") ?? "", maxRows: maxRows)
        case "Sync": return FrontendMessage.sync
        case "Flush": return FrontendMessage.flush
        case "Terminate": return FrontendMessage.terminate
        case "CopyData": return FrontendMessage.copyData(try arguments.takeValue().bytes)
        case "CopyDone": return FrontendMessage.copyDone
        case "CopyFail": return FrontendMessage.copyFail(try arguments.takeValue().text)
        case "Password": return FrontendMessage.password(try arguments.takeValue().text)
        case "FunctionCall": return try functionCall(&arguments)
        case "Message":
            let tag = try self.tag(&arguments)
            return FrontendMessage.message(tag, try arguments.takeValue().bytes)
        case "Header":
            let length = try arguments.takeIntegers("length", as: Int32.self).first ?? 4
            return FrontendMessage.header(UInt8(ascii: try tag(&arguments)), length: length)
        default: throw arguments.problem("no such message")
        }
    }

    private static func bind(_ arguments: inout Arguments) throws(ScriptError) -> [UInt8] {
        let formats = try arguments.takeIntegers("formats", as: Int16.self)
        let results = try arguments.takeIntegers("results", as: Int16.self)
        let statement = arguments.takeText("statement") ?? ""
        let portal = arguments.takeText("portal") ?? ""
        return FrontendMessage.bind(
            arguments.takeAll().map { $0?.bytes }, statement: statement, portal: portal, formats: formats,
            resultFormats: results)
    }

    private static func functionCall(_ arguments: inout Arguments) throws(ScriptError) -> [UInt8] {
        let formats = try arguments.takeIntegers("formats", as: Int16.self)
        let function: Int32 = try arguments.integer(try arguments.takeValue().text)
        return FrontendMessage.functionCall(
            function, arguments.takeAll().map { $0?.bytes }, formats: formats.isEmpty ? [0] : formats)
    }

    /// `statement=NAME` or `portal=NAME`.
    private static func target(_ arguments: inout Arguments) throws(ScriptError) -> (kind: Character, name: String) {
        if let name = arguments.takeText("statement") { return ("S", name) }
        if let name = arguments.takeText("portal") { return ("P", name) }
        throw arguments.problem("needs statement=NAME or portal=NAME; \"\" is the unnamed one")
    }

    private static func tag(_ arguments: inout Arguments) throws(ScriptError) -> Unicode.Scalar {
        guard let tag = try arguments.takeValue().text.unicodeScalars.first, tag.isASCII else {
            throw arguments.problem("a tag is one ASCII character")
        }
        return tag
    }
}
