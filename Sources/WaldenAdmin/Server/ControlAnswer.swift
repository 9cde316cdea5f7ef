/// What the control socket answers: a function of the request line and of what the sentinel answers.
struct ControlAnswer: Hashable, Sendable {
    let status: Int
    let contentType: String
    let body: String
    var allow: String?

    private static let plain = "text/plain; charset=utf-8"

    private enum Page: Hashable {
        case switchover, failover, pause, resume, incidents
        case incident(String)

        init?(_ path: String) {
            switch path {
            case "/switchover": self = .switchover
            case "/failover": self = .failover
            case "/pause": self = .pause
            case "/resume": self = .resume
            case "/incidents": self = .incidents
            default:
                guard path.hasPrefix("/incidents/") else { return nil }
                self = .incident(String(path.dropFirst("/incidents/".count)))
            }
        }

        var methods: [String] {
            switch self {
            case .switchover, .pause, .resume: ["POST"]
            case .failover: ["GET", "HEAD", "POST"]
            case .incidents, .incident: ["GET", "HEAD"]
            }
        }
    }

    /// Orders are carried out here; with `text=1` the answer is for the command line instead of JSON.
    static func of(
        method: String, path: String, query: String?, control: any FailoverControl
    ) async -> ControlAnswer {
        guard let page = Page(path) else {
            return words(
                404, "There are POST /switchover, /failover, /pause, /resume, and GET /failover, /incidents.")
        }
        guard page.methods.contains(method) else {
            let methods = page.methods.joined(separator: ", ")
            var answer = words(405, "\(path) takes \(methods).")
            answer.allow = methods
            return answer
        }
        return await answer(page, method, query, control)
    }

    private static func answer(
        _ page: Page, _ method: String, _ query: String?, _ control: any FailoverControl
    ) async -> ControlAnswer {
        let members = QueryString.members(of: query)
        let isText = members["text"] == "1"
        switch page {
        case .switchover:
            let node = members["to"].flatMap { $0.isEmpty ? nil : $0 }
            let isRehearsal = members["dry_run"] == "1"
            let answer = isRehearsal ? control.rehearsal(of: node) : await control.switchover(to: node)
            return ControlAnswer(answer, isText: isText)
        case .failover where method == "POST":
            guard members["force"] == "1" else {
                return words(400, "A failover that is ordered may lose acknowledged commits: it takes force=1.")
            }
            return ControlAnswer(await control.force(), isText: isText)
        case .failover:
            let report = control.report()
            return isText ? words(200, report.risk) : document(report.json)
        case .pause: return ControlAnswer(await control.pause(), isText: isText)
        case .resume: return ControlAnswer(await control.resume(), isText: isText)
        case .incidents:
            let incidents = control.incidents()
            guard isText else { return document(["incidents": .array(incidents.map { $0.json(isWhole: false) })]) }
            return ControlAnswer(
                status: 200, contentType: plain,
                body: incidents.isEmpty ? "no incident yet\n" : incidents.map(\.summary).joined())
        case .incident(let number):
            guard let incident = UInt64(number).flatMap(control.incident) else {
                return words(404, "There is no incident \(number).")
            }
            return isText
                ? ControlAnswer(status: 200, contentType: plain, body: incident.text)
                : document(incident.json(isWhole: true))
        }
    }

    private static func words(_ status: Int, _ text: String) -> ControlAnswer {
        ControlAnswer(status: status, contentType: plain, body: text + "\n")
    }

    private static func document(_ json: JSON) -> ControlAnswer {
        ControlAnswer(status: 200, contentType: "application/json", body: json.text + "\n")
    }

    private init(status: Int, contentType: String, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    private init(_ answer: FailoverAnswer, isText: Bool) {
        let status =
            switch answer.outcome {
            case .done, .rehearsed: 200
            case .underWay: 202
            case .refused: 409
            }
        self.init(
            status: status, contentType: isText ? Self.plain : "application/json",
            body: isText ? answer.text : answer.json.text + "\n")
    }
}

extension FailoverReport {
    /// What an ordered failover may lose.
    fileprivate var risk: String {
        guard let candidate else { return "no standby may be promoted now: \(obstacle ?? "none answers")" }
        let loss =
            isProven
            ? "\(candidate) would be promoted; the quorum proves that it holds every acknowledged commit"
            : "\(candidate) would be promoted; \(missingBytes) bytes of log that \(primary) is known to have written "
                + "would be lost, and whatever it wrote since the last look"
        return loss + "\nnothing but the quorum keeps \(primary) from writing on: make sure that it is stopped"
    }
}
