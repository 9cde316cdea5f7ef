import Glibc
import Testing

@testable import WaldenRuntime

/// Arguments and the file itself.
@Suite struct SourceTests {
    @Test func argumentsComeInBothForms() {
        let parsed = ConfigurationSource.parse([
            "--primary", "host=a", "--listen=h:1", "--config=/etc/w.yaml", "--replica=postgres://h/d?a=b",
        ])
        #expect(parsed.path == "/etc/w.yaml")
        #expect(parsed.flags.map(\.flag) == ["--primary", "--listen", "--replica"])
        #expect(parsed.flags.map(\.value) == ["host=a", "h:1", "postgres://h/d?a=b"])
        #expect(parsed.problems.isEmpty)
    }

    @Test(arguments: [
        (["--primary"], ["flag --primary: has no value"]),
        (["--primary", "--listen", "h:1"], ["flag --primary: has no value"]),
        (["--config"], ["flag --config: has no value"]),
        (["postgres://u:geheim@h/d", "--listen", "h:1", "-x"], ["argument 1: is no flag", "argument 4: is no flag"]),
    ])
    func badArguments(arguments: [String], expected: [String]) {
        #expect(ConfigurationSource.parse(arguments).problems.map(\.description) == expected)
    }

    @Test func emptyValueIsAValue() {
        #expect(ConfigurationSource.parse(["--primary="]).flags.map(\.value) == [""])
        #expect(ConfigurationSource.parse(["--primary", ""]).flags.map(\.value) == [""])
    }

    @Test func readsItsFileAnewEachTime() throws {
        try withFile("primary: host=a\nlog: {level: debug}\n") { path in
            let source = ConfigurationSource(arguments: ["--config", path])
            let first = try source.load()
            try writeFile("primary: host=a\nlog: {level: error}\n", to: path)
            let second = try source.load()
            #expect(first.differences(to: second).reloadable == ["log.level"])
        }
    }

    @Test func argumentsAndFileAreToldTogether() throws {
        try withFile("primary: host=a\nlisten: x\n") { path in
            let found = problems(["--config", path, "--admin"])
            #expect(found == ["flag --admin: has no value", "\(path):2: listen: \"x\" is not host:port"])
        }
    }

    @Test func unreadableFilesAreNamed() throws {
        let missing = "/nowhere/walden.yaml"
        #expect(problems(["--config", missing]) == ["\(missing): cannot be opened: No such file or directory"])
        #expect(problems(["--config", "/tmp"]) == ["/tmp: cannot be read: Is a directory"])
        try withFile([0x61, 0xFF, 0xFE]) { #expect(problems(["--config", $0]) == ["\($0): is not UTF-8"]) }
        let large = [UInt8](repeating: 0x23, count: ConfigurationSource.maxFileBytes + 1)
        try withFile(large) { #expect(problems(["--config", $0]) == ["\($0): is larger than 1 MB"]) }
    }

    private func problems(_ arguments: [String]) -> [String] {
        do throws(InvalidConfiguration) {
            _ = try ConfigurationSource(arguments: arguments).load()
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
