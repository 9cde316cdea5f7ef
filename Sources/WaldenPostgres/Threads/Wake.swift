internal import Glibc
internal import Synchronization

/// A pipe that a thread polls beside its socket, so that other threads can end its wait.
///
/// What is to be done is said in state of the owner's. The order makes no wake-up get lost: set the state, then
/// `raise`; `lower`, then read the state. Raising what is raised costs one atomic exchange.
package final class Wake: Sendable {
    package let readEnd: CInt
    private let writeEnd: CInt
    private let isRaisedFlag = Atomic<Bool>(false)

    package init() throws(PostgresError) {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw PostgresError(.resources, "cannot open a pipe: \(SystemFailure.text(errno))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    package var isRaised: Bool { isRaisedFlag.load(ordering: .sequentiallyConsistent) }

    package func raise() {
        guard !isRaisedFlag.exchange(true, ordering: .sequentiallyConsistent) else { return }
        var byte: UInt8 = 1
        // The pipe holds at most one byte, so the write neither blocks nor fails for want of room.
        while write(writeEnd, &byte, 1) < 0, errno == EINTR {}
    }

    package func lower() {
        var byte: UInt8 = 0
        while read(readEnd, &byte, 1) > 0 {}
        isRaisedFlag.store(false, ordering: .sequentiallyConsistent)
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }
}
