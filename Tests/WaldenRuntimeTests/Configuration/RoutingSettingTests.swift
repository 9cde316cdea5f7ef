import Testing
import WaldenCore

@testable import WaldenRuntime

@Suite struct RoutingSettingTests {
    private func load(_ content: String) throws -> Configuration {
        try Configuration.load(
            file: (name: "walden.yaml", content: "primary: host=a\nreplicas: [host=b, host=c]\n" + content),
            environment: [:], flags: [])
    }

    @Test(
        arguments: [
            ("", [0, 1, 1]), ("routing: {weights: [replica2=3]}\n", [0, 1, 3]),
            ("routing: {weights: [primary=1, replica1=0]}\n", [1, 0, 1]),
            ("routing: {weights: replica1=1000}\n", [0, 1_000, 1]), ("routing: {weights: []}\n", [0, 1, 1]),
        ])
    func weights(content: String, expected: [Int]) throws {
        #expect(try load(content).routeWeights == expected)
    }

    @Test(
        arguments: [
            ("replica3=1", "there is no replica3"), ("replica0=1", "not of the form"), ("replica=1", "not of the form"),
            ("standby1=1", "not of the form"), ("replica1", "not of the form"), ("replica1=2=3", "not of the form"),
            ("replica1=-1", "0 … 1000"), ("replica1=x", "whole number"), ("replica1=1001", "0 … 1000"),
        ])
    func weightsThatAreNone(text: String, reason: String) {
        let error = #expect(throws: InvalidConfiguration.self) { try load("routing: {weights: ['\(text)']}\n") }
        #expect(error?.description.contains("routing.weights") == true)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func readsAreRoutedUnlessSwitchedOff() throws {
        #expect(try load("").isRouting)
        #expect(try !load("routing: {reads: off}\n").isRouting)
        #expect(throws: InvalidConfiguration.self) { try load("routing: {reads: always}\n") }
    }
}
