/// Ends the waits of connections that were opened with it, now and from now on. Shared between threads.
public final class Interrupt: Sendable {
    package let wake: Wake

    public init() throws(PostgresError) {
        wake = try Wake()
    }

    public var isRaised: Bool { wake.isRaised }

    public func raise() {
        wake.raise()
    }
}
