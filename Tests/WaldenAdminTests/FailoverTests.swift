import Testing

@testable import WaldenAdmin

@Suite("Failover for people")
struct FailoverTests {
    @Test("one line says what would happen")
    func outlook() {
        var report = FailoverReport.sample
        report.obstacle = nil
        report.blockedBy = nil
        report.isProven = true
        #expect(report.outlook == "if the primary died now: node pg2, 0 bytes lost, about 1.3 s")
        report.isProven = false
        #expect(
            report.outlook
                == "if the primary died now: node pg2, 99 bytes lost or more, for no quorum proves otherwise, about 1.3 s"
        )
        report.candidate = nil
        #expect(report.outlook == "if the primary died now: no failover by itself: no standby may be promoted")
        #expect(report.bytesLostIfNow == nil)
    }

    @Test("without a sentinel there is nothing to tell")
    func none() {
        #expect(StatusReport().json.contains(#""failover":null"#))
        #expect(!StatusReport().metrics.contains("\nwalden_failover_term "))
    }

    @Test("an incident reads from its cause to its end")
    func incident() {
        #expect(
            IncidentReport.sample.text == """
                incident 4, 2026-11-26T10:00:00.000Z
                cause: the primary was found crashed
                  finding: crashed
                primary: pg1, then pg2
                -0.050 s  row 220: steady -> suspect, it does not answer
                           pg1: does not answer
                0.120 s  promote pg2 done after 33 ms
                outcome: replaced
                outage: at most 0.650 s
                lost: nothing acknowledged, proven by the quorum

                """)
        #expect(
            IncidentReport.sample.summary == "4  2026-11-26T10:00:00.000Z  replaced  pg1 -> pg2  "
                + "the primary was found crashed, outage at most 0.7 s\n")
    }
}

extension IncidentReport {
    static var sample: IncidentReport {
        var report = IncidentReport()
        report.number = 4
        report.beganAt = "2026-11-26T10:00:00.000Z"
        report.cause = "the primary was found crashed"
        report.evidence = ["finding: crashed"]
        report.oldPrimary = "pg1"
        report.newPrimary = "pg2"
        report.outcome = "replaced"
        report.outageSeconds = 0.65
        report.lostBytes = 0
        report.isProven = true
        var row = Event()
        row.seconds = -0.05
        row.text = "row 220: steady -> suspect, it does not answer"
        row.evidence = ["pg1: does not answer"]
        var step = Event()
        step.seconds = 0.12
        step.text = "promote pg2 done after 33 ms"
        report.events = [row, step]
        return report
    }
}
