import ArgumentParser
import Glibc
import WaldenRuntime

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve clients.",
        discussion: "Every setting is a flag, an environment variable and a key of the file:\n\n" + Configuration.help)

    @Argument(parsing: .captureForPassthrough, help: "Settings as flags: --primary DSN --listen ADDRESS …")
    var settings: [String] = []

    func run() async throws {
        // Passed through with the rest, as the settings are no flags that the parser knows.
        if settings.contains("--help") || settings.contains("-h") { throw CleanExit.helpRequest(self) }
        let source = ConfigurationSource(arguments: settings)
        do {
            let configuration = try source.load()
            try await Service.run(configuration) { try source.load() }
        } catch let error as InvalidConfiguration {
            fail("\(error)", code: 78)
        } catch {
            fail("\(error)", code: 69)
        }
    }

    private func fail(_ message: String, code: Int32) -> Never {
        let bytes = Array(message.split(separator: "\n").map { "walden: \($0)\n" }.joined().utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
        Glibc.exit(code)
    }
}
