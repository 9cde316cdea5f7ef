import WaldenCore

/// `walden status`: asks a running instance's admin port for its figures.
public enum StatusCommand {
    /// - Parameters:
    ///   - admin: `host:port`.
    ///   - isJSON: Prints the document as it came instead of a table.
    public static func run(admin: String, isJSON: Bool) -> CommandOutcome {
        let endpoint: Endpoint
        do throws(Quantity.Malformed) {
            endpoint = try Quantity.address(admin)
        } catch {
            return .failed("--admin: \(error.reason)", .usage)
        }
        guard case .tcp(let host, let port) = endpoint else { return .failed("--admin must be host:port", .usage) }
        do throws(HTTPGet.Failure) {
            let document = try HTTPGet.body(of: "/v1/status", host: host, port: port)
            if isJSON { return CommandOutcome(document.hasSuffix("\n") ? document : document + "\n") }
            guard let table = StatusTable.text(document) else {
                return .failed("\(admin): the answer is no status of Walden's", .unavailable)
            }
            return CommandOutcome(table)
        } catch {
            return .failed("\(admin): \(error.reason)", .unavailable)
        }
    }
}
