import Glibc
import WaldenTorture

/// `walden-torture`: attacks a running Walden with concurrent sessions and faults, and judges every read. Exit code 1
/// when one of them was wrong.
@main
enum Program {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            print(Options.usage)
            exit(64)
        }
        do {
            exit(try Torture(options).run() ? 0 : 1)
        } catch {
            print("torture: seed=\(options.seed): \(error)")
            exit(1)
        }
    }
}
