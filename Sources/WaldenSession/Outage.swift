import WaldenCore
public import WaldenWire

/// Answers from the cache while another node takes the role of primary.
extension SessionMachine {
    /// Whether the unit offered, which was looked up by `key`, may be answered so: not in a transaction, whose other
    /// statements are the server's, and not when since the lookup the session has changed, or would have to be asked what
    /// it has by default.
    public func mayHitInOutage(_ environment: some SessionEnvironment) -> Bool {
        candidate != nil && shownStatus == .idle && isKeyCurrent && knowsDefaults(environment)
    }
}

extension NoticeResponse {
    /// What goes before each such answer, whatever the session's `client_min_messages`.
    ///
    /// - Parameter age: How long ago the cache was known to be fresh; told in tenths of a second, rounded up.
    public init(servedInOutage age: Duration) {
        let (whole, rest) = age.wholeNanoseconds.quotientAndRemainder(dividingBy: 100_000_000)
        let tenths = whole + (rest > 0 ? 1 : 0)
        self.init(
            sqlState: .servedInOutage,
            message: "answered from Walden's cache, up to \(tenths / 10).\(tenths % 10) s old: "
                + "the primary is being replaced",
            hint: "SET walden.consistency = 'strict' has reads wait for the next primary instead.")
    }
}
