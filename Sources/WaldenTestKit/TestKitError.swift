/// What kept a test's surroundings from being set up: a missing program, a server that did not start, a time that ran
/// out. The text is for the person who reads the failed test.
public struct TestKitError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
