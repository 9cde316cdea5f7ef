import Testing

@testable import WaldenAdmin

@Suite("Questions to the admin port")
struct QuestionTests {
    private let questions = AdminQuestions(
        explain: { question in
            var report = ExplainReport()
            report.explanation = [question.sql, question.user ?? "-", question.searchPath ?? "-"].joined(separator: "|")
            return report
        },
        shapes: { limit in
            var shape = ShapeReport()
            shape.id = "\(limit)"
            return [shape]
        },
        lag: {
            var point = LagPointReport()
            point.secondsAgo = 1.5
            var gap = point
            gap.secondsAgo = 0.5
            point.lagBytes = 7
            point.lagSeconds = 0.25
            return [("replica1", [point, gap]), ("replica2", [])]
        })

    private func get(_ path: String, _ query: String?) -> AdminAnswer {
        AdminAnswer(method: "GET", path: path, query: query, questions: questions, source: { .sample })
    }

    @Test(
        "a statement is explained",
        arguments: [
            ("sql=SELECT+1", "SELECT 1|-|-"),
            ("sql=SELECT%201&user=a%26b&search_path=x%2C%20y", "SELECT 1|a&b|x, y"),
            ("user=u&sql=a=b", "a=b|u|-"),
            ("sql=%4&x", "%4|-|-"),
            ("sql=%e2%82%AC", "€|-|-"),
        ])
    func explained(query: String, expected: String) {
        let answer = get("/explain", query)
        #expect(answer.status == 200)
        #expect(answer.contentType == "application/json")
        #expect(answer.body.contains("\"explanation\":\"\(expected)\""), "\(answer.body)")
    }

    @Test("without a statement there is nothing to explain", arguments: [nil, "", "sql=", "user=a"])
    func nothing(query: String?) {
        #expect(get("/explain", query).status == 400)
    }

    @Test(
        "shapes are listed up to a limit",
        arguments: [
            (nil, 20), ("limit=3", 3), ("limit=-1", 0), ("limit=x", 20), ("limit=99999999", 10_000),
        ])
    func shapes(query: String?, expected: Int) {
        #expect(get("/shapes", query).body.hasPrefix("{\"shapes\":[{\"id\":\"\(expected)\","))
    }

    @Test("the lag of every replica is told point by point, with gaps")
    func lag() {
        let answer = get("/lag", nil)
        #expect(answer.contentType == "application/json")
        #expect(
            answer.body == #"{"replica1":[{"seconds_ago":1.5,"lag_bytes":7,"lag_seconds":0.25},"#
                + #"{"seconds_ago":0.5,"lag_bytes":null,"lag_seconds":null}],"replica2":[]}"# + "\n")
    }
}

@Suite("Questions of load balancers")
struct HealthQuestionTests {
    private let questions = AdminQuestions(
        explain: { _ in ExplainReport() }, shapes: { _ in [] }, lag: { [] },
        health: { question in
            switch question.node {
            case "bad"?: HealthAnswer(.malformed, "no such node")
            case "down"?: HealthAnswer(.unfit, "it is \"down\"")
            default: HealthAnswer(.fit(node: "\(question.role.rawValue) \(question.lag ?? "-")"))
            }
        })

    @Test(
        "the status says whether, the document which or why not",
        arguments: [
            ("/primary", nil, 200, #"{"fit":true,"asked":"primary","node":"primary -","reason":null}"#),
            ("/replica", "lag=1MB", 200, #"{"fit":true,"asked":"replica","node":"replica 1MB","reason":null}"#),
            ("/read-only", "lag=2s", 200, #"{"fit":true,"asked":"read_only","node":"read_only 2s","reason":null}"#),
            ("/replica", "node=down", 503, #"{"fit":false,"asked":"replica","node":"down","reason":"it is \"down\""}"#),
            ("/primary", "node=bad", 400, #"{"fit":false,"asked":"primary","node":"bad","reason":"no such node"}"#),
        ])
    func answers(path: String, query: String?, status: Int, body: String) {
        for method in ["GET", "HEAD"] {
            let answer = AdminAnswer(method: method, path: path, query: query, questions: questions) {
                Issue.record("figures were taken")
                return StatusReport()
            }
            #expect(answer.status == status)
            #expect(answer.body == body + "\n")
            #expect(answer.contentType == "application/json")
        }
    }
}
