internal import Glibc
public import WaldenCore

/// The one clock of the shells: `CLOCK_MONOTONIC`, the clock that SwiftNIO's deadlines use as well.
public enum MonotonicClock {
    public static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}

public enum WallClock {
    /// Seconds from 1970 to 2000, where PostgreSQL's time begins.
    public static let epochSeconds: Int = 946_684_800

    /// Microseconds since 2000-01-01 UTC, as replication messages carry it.
    public static func microseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec &- epochSeconds)) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}
