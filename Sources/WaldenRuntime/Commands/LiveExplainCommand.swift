import WaldenCore

/// `walden explain --instance`: asks a running instance's admin port what it makes of a statement.
public enum LiveExplainCommand {
    /// - Parameters:
    ///   - instance: `http://host:port`, or without the scheme.
    ///   - isJSON: Prints the document as it came instead of a table.
    public static func run(
        instance: String, statement: String, role: String?, searchPath: String?, isJSON: Bool
    ) -> CommandOutcome {
        let address = instance.hasPrefix("http://") ? String(instance.dropFirst(7)) : instance
        let endpoint: Endpoint
        do throws(Quantity.Malformed) {
            endpoint = try Quantity.address(address.hasSuffix("/") ? String(address.dropLast()) : address)
        } catch {
            return .failed("--instance: \(error.reason)", .usage)
        }
        guard case .tcp(let host, let port) = endpoint else {
            return .failed("--instance must be http://host:port", .usage)
        }
        do throws(HTTPGet.Failure) {
            let path = path(statement: statement, role: role, searchPath: searchPath)
            let document = try HTTPGet.body(of: path, host: host, port: port)
            if isJSON { return CommandOutcome(document) }
            guard let table = StatusTable.text(document) else {
                return .failed("\(address): the answer is no explanation of Walden's", .unavailable)
            }
            return CommandOutcome(table)
        } catch {
            return .failed("\(address): \(error.reason)", .unavailable)
        }
    }

    static func path(statement: String, role: String?, searchPath: String?) -> String {
        var path = "/explain?sql=" + encoded(statement)
        if let role { path += "&user=" + encoded(role) }
        if let searchPath { path += "&search_path=" + encoded(searchPath) }
        return path
    }

    /// Escapes all but the unreserved characters of RFC 3986.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}
