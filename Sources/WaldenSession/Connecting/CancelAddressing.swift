public import WaldenWire

/// Which of several Waldens behind one address a cancel request is for.
///
/// Protocol 3.0 leaves eight bytes for a key, of which four are the secret and four the process number, which is none. So
/// an instance's number is in the process number of the keys that it gives out, whatever the version:
///
///     31         30 … 24     23 … 0
///     forwarded  instance    the session's
///
/// The uppermost bit is set in requests that an instance passes on, never in keys. One that comes with it is not passed on
/// again, so that instances whose lists contradict each other do not send it in circles. Who sets it by himself gains
/// nothing: the secret is asked for all the same.
public struct CancelAddressing: Hashable, Sendable {
    /// The numbers that an instance may have.
    public static let instances = 1...127

    public enum Destination: Hashable, Sendable {
        /// This instance gave the key, if anybody did; the request is as the key was given.
        case here(CancelRequest)
        /// That one did. The request is as it is to be sent there.
        case instance(Int, CancelRequest)
        /// It has been passed on to the wrong instance, or names none.
        case nowhere
    }

    /// Nil: it is the only one, and process numbers have all their bits.
    public let instance: Int?

    /// - Parameter instance: One of `instances`; nil: it is the only one.
    public init(instance: Int? = nil) {
        self.instance = instance.map { min(max($0, Self.instances.lowerBound), Self.instances.upperBound) }
    }

    /// A process number for a key of this instance.
    ///
    /// - Parameter random: Bits that nobody need foresee; most of them are kept.
    public func processID(random: UInt32) -> Int32 {
        guard let instance else { return max(1, Int32(bitPattern: random & ~Self.forwarded)) }
        return Int32(bitPattern: UInt32(instance) << 24 | random & 0xFF_FFFF)
    }

    public func destination(of request: CancelRequest) -> Destination {
        guard let instance else { return .here(request) }
        let number = UInt32(bitPattern: request.processID)
        var request = request
        let owner = Int(number & ~Self.forwarded) >> 24
        if owner == instance {
            request.processID = Int32(bitPattern: number & ~Self.forwarded)
            return .here(request)
        }
        guard number & Self.forwarded == 0, Self.instances.contains(owner) else { return .nowhere }
        request.processID = Int32(bitPattern: number | Self.forwarded)
        return .instance(owner, request)
    }

    private static let forwarded: UInt32 = 1 << 31
}
