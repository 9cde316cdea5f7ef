internal import Glibc
package import WaldenCore

/// Bounded waits on descriptors. Every wait of this module goes through here.
package enum Polling {
    package struct Interest {
        let descriptor: CInt
        let forReading: Bool
        let forWriting: Bool

        package static func reading(_ descriptor: CInt) -> Interest {
            Interest(descriptor: descriptor, forReading: true, forWriting: false)
        }
    }

    /// Waits until one of `interests` is ready or `deadline` has come; the indices of the ready ones, as a bit mask.
    package static func wait(_ interests: [Interest], until deadline: Instant) -> UInt64 {
        var descriptors = interests.map { interest in
            pollfd(
                fd: interest.descriptor,
                events: Int16((interest.forReading ? POLLIN : 0) | (interest.forWriting ? POLLOUT : 0)),
                revents: 0)
        }
        while true {
            let count = poll(&descriptors, nfds_t(descriptors.count), milliseconds(until: deadline))
            if count > 0 { return readyMask(descriptors) }
            if count == 0 || errno != EINTR { return 0 }
        }
    }

    private static func readyMask(_ descriptors: [pollfd]) -> UInt64 {
        var mask: UInt64 = 0
        for (index, descriptor) in descriptors.enumerated() where descriptor.revents != 0 {
            mask |= 1 << UInt64(index)
        }
        return mask
    }

    /// Rounded up, so that a wait never ends before its deadline. An hour's cap suits `poll`; the callers wait again.
    private static func milliseconds(until deadline: Instant) -> CInt {
        let left = min(deadline.elapsed(since: MonotonicClock.now()), .seconds(3600)).wholeNanoseconds
        return CInt((left + 999_999) / 1_000_000)
    }

    /// Sleeps until `deadline`, or until `interrupt` is raised.
    package static func sleep(until deadline: Instant, unless interrupt: Interrupt) {
        while !interrupt.isRaised, MonotonicClock.now() < deadline {
            _ = wait([.reading(interrupt.wake.readEnd)], until: deadline)
        }
    }

    /// A pause too short to be worth interrupting, exact to microseconds where `poll` knows milliseconds only.
    public static func pause(_ duration: Duration) {
        let nanoseconds = min(duration, .milliseconds(100)).wholeNanoseconds
        guard nanoseconds > 0 else { return }
        var left = timespec(tv_sec: 0, tv_nsec: Int(nanoseconds))
        // A signal may cut it short, which costs a probe a millisecond early and nothing else.
        nanosleep(&left, nil)
    }
}
