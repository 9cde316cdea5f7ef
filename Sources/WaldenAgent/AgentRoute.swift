/// What is asked of an agent: a pure function of the request line.
enum AgentRoute: Hashable, Sendable {
    case status
    case job(UInt64)
    case fence(term: UInt64)
    case unfence(term: UInt64)
    case rejoin
    case start
    case stop
    /// With its HTTP status.
    case wrong(Int, String)

    static let list =
        "GET /, GET /job/ID, POST /fence?term=N, POST /unfence?term=N, POST /rejoin, POST /start, POST /stop"

    init(method: String, path: String, query: String?) {
        let words = path.split(separator: "/")
        switch (words.first, words.count) {
        case (nil, _): self = method == "GET" ? .status : .onlyBy("GET")
        case ("job", 2):
            guard method == "GET" else {
                self = .onlyBy("GET")
                return
            }
            self = UInt64(words[1]).map { .job($0) } ?? .wrong(400, "a job has a number")
        case ("fence", 1):
            guard method == "POST" else {
                self = .onlyBy("POST")
                return
            }
            self = Self.term(query).map { .fence(term: $0) } ?? .wrong(400, "which term? POST /fence?term=N")
        case ("unfence", 1):
            guard method == "POST" else {
                self = .onlyBy("POST")
                return
            }
            self = Self.term(query).map { .unfence(term: $0) } ?? .wrong(400, "which term? POST /unfence?term=N")
        case ("rejoin", 1): self = method == "POST" ? .rejoin : .onlyBy("POST")
        case ("start", 1): self = method == "POST" ? .start : .onlyBy("POST")
        case ("stop", 1): self = method == "POST" ? .stop : .onlyBy("POST")
        default: self = .wrong(404, "there is no such thing here; there are \(Self.list)")
        }
    }

    private static func onlyBy(_ method: String) -> AgentRoute { .wrong(405, "only by \(method)") }

    private static func term(_ query: String?) -> UInt64? {
        let pairs = (query ?? "").split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        let terms = pairs.filter { $0.count == 2 && $0[0] == "term" }
        return terms.count == 1 ? UInt64(terms[0][1]) : nil
    }
}
