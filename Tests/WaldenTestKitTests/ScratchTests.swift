import Glibc
import Testing

@testable import WaldenTestKit

/// Scenario: a test ends in every way that a test can end. Risk: processes and directories left behind.
@Suite struct ScratchTests {
    @Test func endTakesProcessesAndFilesAlong() throws {
        let scratch = try Scratch()
        let sleeper = try ChildProcess(Command(["sleep", "600"], in: scratch.directory("beneath")))
        let stopped = try ChildProcess(Command(["sleep", "600"], in: scratch.path))
        stopped.signal(SIGSTOP)
        scratch.end()
        try eventually("both processes are gone") { !sleeper.isRunning && !stopped.isRunning }
        #expect(!Files.exists(scratch.path))
        scratch.end()
    }

    @Test func aProcessOfTheServerUserEndsToo() throws {
        let scratch = try Scratch()
        var command = Command(["sleep", "600"], in: scratch.path)
        command.asServerUser = true
        let sleeper = try ChildProcess(command)
        scratch.end()
        try eventually("it is gone") { !sleeper.isRunning }
    }

    @Test func keptDirectoryStaysUntilAdopted() throws {
        let scratch = try Scratch()
        let sleeper = try ChildProcess(Command(["sleep", "600"], in: scratch.path))
        scratch.keep()
        #expect(Files.exists(scratch.path))
        #expect(sleeper.isRunning)
        try Scratch(adopting: scratch.path).end()
        #expect(!Files.exists(scratch.path))
        try eventually("it is gone") { !sleeper.isRunning }
    }

    @Test func nothingIsLeftOfAKilledTestProcess() async throws {
        let notes = try Scratch()
        let note = "\(notes.path)/note"
        await #expect(processExitsWith: .signal(SIGKILL)) { [note = note as String] in
            let cluster = try Cluster.start()
            try Files.write(cluster.scratch.path.utf8, to: note)
            kill(getpid(), SIGKILL)
        }
        let path = try Files.text(note)
        try eventually("\(path) is gone") { !Files.exists(path) }
    }
}

@Suite struct ProcessTests {
    @Test func streamsAndExitCodeAreKept() throws {
        let result = try ProcessRunner.run(["sh", "-c", "cat; echo err >&2; exit 3"], input: "in\n")
        #expect(result.output == "in\n")
        #expect(result.errors == "err\n")
        #expect(result.status == .exited(3))
    }

    @Test func muchOutputDoesNotBlock() throws {
        let result = try ProcessRunner.check(["head", "-c", "3000000", "/dev/zero"])
        #expect(result.output.utf8.count == 3_000_000)
    }

    @Test func slowProgramIsKilled() throws {
        #expect(throws: TestKitError.self) {
            try ProcessRunner.run(["sleep", "60"], timeout: .milliseconds(50))
        }
    }

    @Test func childInheritsNoDescriptors() throws {
        let opened = open("/dev/null", O_RDONLY)  // without close-on-exec
        defer { close(opened) }
        let result = try ProcessRunner.check(["sh", "-c", "ls /proc/$$/fd"])
        #expect(result.output.split(separator: "\n").allSatisfy { (Int($0) ?? 0) <= 2 || $0 == "10" || $0 == "255" })
    }

    @Test func foreignSettingsAreNotInherited() throws {
        setenv("PGWALDENTEST", "1", 1)
        let result = try ProcessRunner.check(["env"], environment: ["PGAPPNAME": "x"])
        #expect(!result.output.contains("PGWALDENTEST"))
        #expect(result.output.contains("PGAPPNAME=x"))
    }
}

@Suite struct WaitingTests {
    @Test func conditionIsAwaited() throws {
        var calls = 0
        try eventually("three calls") {
            calls += 1
            return calls == 3
        }
        #expect(calls == 3)
    }

    @Test func lastErrorIsNamedWhenTimeRunsOut() {
        let error = #expect(throws: TestKitError.self) {
            try eventually("never", timeout: .milliseconds(5)) { throw TestKitError("the cause") }
        }
        #expect(error?.description.contains("the cause") == true)
    }

    @Test func seedRepeatsItsNumbers() {
        var first = SeededGenerator(seed: 42)
        var second = SeededGenerator(seed: 42)
        let numbers = (0..<5).map { _ in first.next() }
        #expect(numbers == (0..<5).map { _ in second.next() })
        #expect(Set(numbers).count == 5)
    }

    @Test func threadsRunAtTheSameTime() throws {
        let arrived = Counter()
        let values = try concurrently(4) { index in
            arrived.add()
            try eventually("all four are here") { arrived.value == 4 }
            return index * 2
        }
        #expect(values == [0, 2, 4, 6])
    }
}
