/// What the admin port answers to a request: a pure function of the request line and the report.
struct AdminAnswer: Hashable, Sendable {
    let status: Int
    let contentType: String
    let body: String
    /// Sent with status 405 (RFC 9110, section 15.5.6).
    var allow: String?

    static let allowedMethods = "GET, HEAD"
    private static let plain = "text/plain; charset=utf-8"

    /// `source` is called only when the answer shows figures.
    init(
        method: String, path: String, query: String? = nil, questions: AdminQuestions = .none,
        source: () -> StatusReport
    ) {
        guard let page = AdminPage(rawValue: path) else {
            self.init(
                status: 404, contentType: Self.plain, body: "There is no such page. There are:\n\n" + AdminPage.list)
            return
        }
        guard method == "GET" || method == "HEAD" else {
            self.init(status: 405, contentType: Self.plain, body: "This page is only read.\n")
            allow = Self.allowedMethods
            return
        }
        switch page {
        case .metrics:
            self.init(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: source().metrics)
        case .health:
            self.init(status: 200, contentType: Self.plain, body: "ok\n")
        case .readiness:
            let report = source()
            self.init(status: report.isReady ? 200 : 503, contentType: Self.plain, body: report.readiness)
        case .status:
            self.init(status: 200, contentType: "application/json", body: source().json)
        case .explain: self.init(explaining: QueryString.members(of: query), questions)
        case .shapes:
            let limit = QueryString.members(of: query)["limit"].flatMap { Int($0) } ?? 20
            let shapes = questions.shapes(min(max(limit, 0), 10_000))
            self.init(status: 200, contentType: "application/json", body: ShapeReport.document(shapes))
        case .primary: self.init(asked: .primary, query, questions)
        case .replica: self.init(asked: .replica, query, questions)
        case .readOnly: self.init(asked: .readOnly, query, questions)
        case .lag:
            self.init(status: 200, contentType: "application/json", body: LagPointReport.document(questions.lag()))
        }
    }

    private init(explaining members: [String: String], _ questions: AdminQuestions) {
        guard let sql = members["sql"], !sql.isEmpty else {
            self.init(
                status: 400, contentType: Self.plain,
                body: "Give the statement: /explain?sql=SELECT…, and perhaps user and search_path.\n")
            return
        }
        let question = ExplainQuestion(sql: sql, user: members["user"], searchPath: members["search_path"])
        self.init(status: 200, contentType: "application/json", body: questions.explain(question).json)
    }

    private init(asked role: HealthQuestion.Role, _ query: String?, _ questions: AdminQuestions) {
        let members = QueryString.members(of: query)
        let question = HealthQuestion(role, node: members["node"], lag: members["lag"])
        let answer = questions.health(question)
        self.init(status: answer.status, contentType: "application/json", body: answer.document(question))
    }

    private init(status: Int, contentType: String, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// The pages by their paths.
enum AdminPage: String, CaseIterable {
    case metrics = "/metrics"
    case health = "/healthz"
    case readiness = "/readyz"
    case status = "/v1/status"
    case explain = "/explain"
    case shapes = "/shapes"
    case lag = "/lag"
    case primary = "/primary"
    case replica = "/replica"
    case readOnly = "/read-only"

    private var summary: String {
        switch self {
        case .metrics: "figures for Prometheus"
        case .health: "200 while the process lives"
        case .readiness: "200 while the primary can be reached, else 503; says whether results are cached"
        case .status: "all figures as one JSON document"
        case .explain: "what becomes of the statement in ?sql=…, and why"
        case .lag: "how far each replica was behind, second by second, over the last ten minutes"
        case .primary: "200 while writes can be served, else 503; ?node=… asks about one node"
        case .replica: "200 while a replica is fit for reads; ?lag=1MB or ?lag=2s, ?node=…"
        case .readOnly: "200 while the primary or a replica is; the same questions"
        case .shapes: "the statement shapes whose results have saved most; ?limit=20"
        }
    }

    static var list: String {
        allCases.map { $0.rawValue + String(repeating: " ", count: 14 - $0.rawValue.count) + $0.summary + "\n" }
            .joined()
    }
}

extension StatusReport {
    /// Whether clients can be served: caching may be off, but the primary must be there.
    var isReady: Bool { proxy.primaryProblem == nil }

    /// Two lines for people: the primary, then the cache with all that keeps it off.
    var readiness: String {
        let primary = proxy.primaryProblem.map { "not ready: primary \(proxy.primary): \($0)" } ?? "ready"
        return primary + "\n" + (caching ? "caching: on" : "caching: off" + obstacles) + "\n"
    }

    private var obstacles: String {
        if !reasons.isEmpty {
            return ", " + reasons.map { "\($0.source): \($0.reason)" }.joined(separator: "; ")
        }
        return reason.map { ", " + $0 } ?? ""
    }
}
