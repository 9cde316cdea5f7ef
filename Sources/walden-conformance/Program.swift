import Glibc
import WaldenConformance

/// `walden-conformance`: plays protocol scripts with PostgreSQL and through Walden and compares every byte. Exit code 1
/// when something differs, or a case of the list is not shown.
@main
enum Program {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            print(Options.usage)
            exit(64)
        }
        do {
            exit(try Conformance(options).run().isComplete ? 0 : 1)
        } catch {
            print("conformance: \(error)")
            exit(1)
        }
    }
}
