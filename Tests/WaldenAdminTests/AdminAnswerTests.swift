import Testing

@testable import WaldenAdmin

@Suite("Answers of the admin port")
struct AdminAnswerTests {
    private static func get(_ path: String, _ report: StatusReport = .sample) -> AdminAnswer {
        AdminAnswer(method: "GET", path: path, source: { report })
    }

    @Test("figures are those of the report")
    func figures() {
        let metrics = Self.get("/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(metrics.body == StatusReport.sample.metrics)
        let status = Self.get("/v1/status")
        #expect(status.status == 200)
        #expect(status.contentType == "application/json")
        #expect(status.body == StatusReport.sample.json)
    }

    @Test("health asks for no figures")
    func health() {
        let answer = AdminAnswer(method: "GET", path: "/healthz") {
            Issue.record("figures were taken")
            return StatusReport()
        }
        #expect(answer.status == 200)
        #expect(answer.body == "ok\n")
    }

    @Test("readiness needs the primary only, and tells of the cache")
    func readiness() {
        var report = StatusReport.sample
        #expect(Self.get("/readyz", report).status == 503)
        #expect(
            Self.get("/readyz", report).body == """
                not ready: primary 127.0.0.1:5432: refused
                caching: off, catalog: not read yet; stream: the stream is lost

                """)
        report.proxy.primaryProblem = nil
        #expect(Self.get("/readyz", report).status == 200)
        #expect(Self.get("/readyz", report).body.hasPrefix("ready\ncaching: off, catalog"))
        report.reasons = []
        #expect(Self.get("/readyz", report).body == "ready\ncaching: off, the stream is lost\n")
        report.reason = nil
        #expect(Self.get("/readyz", report).body == "ready\ncaching: off\n")
        report.caching = true
        #expect(Self.get("/readyz", report).body == "ready\ncaching: on\n")
    }

    @Test("HEAD is answered like GET", arguments: ["/metrics", "/healthz", "/readyz", "/v1/status", "/"])
    func head(path: String) {
        #expect(AdminAnswer(method: "HEAD", path: path, source: { .sample }) == Self.get(path))
    }

    @Test("other methods are refused", arguments: ["POST", "PUT", "DELETE", "get"])
    func methods(method: String) {
        let answer = AdminAnswer(method: method, path: "/metrics", source: { .sample })
        #expect(answer.status == 405)
        #expect(answer.allow == "GET, HEAD")
    }

    @Test("other paths are told which there are", arguments: ["/", "", "/metrics/", "/v1", "/v1/status/x", "/Metrics"])
    func unknown(path: String) {
        let answer = Self.get(path)
        #expect(answer.status == 404)
        #expect(
            answer.body == """
                There is no such page. There are:

                /metrics      figures for Prometheus
                /healthz      200 while the process lives
                /readyz       200 while the primary can be reached, else 503; says whether results are cached
                /v1/status    all figures as one JSON document
                /explain      what becomes of the statement in ?sql=…, and why
                /shapes       the statement shapes whose results have saved most; ?limit=20
                /lag          how far each replica was behind, second by second, over the last ten minutes
                /primary      200 while writes can be served, else 503; ?node=… asks about one node
                /replica      200 while a replica is fit for reads; ?lag=1MB or ?lag=2s, ?node=…
                /read-only    200 while the primary or a replica is; the same questions

                """)
    }
}
