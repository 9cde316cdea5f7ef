public import WaldenCore

/// From whom PROXY headers are taken. Whoever may send one may name any address as the client's, so they are taken from
/// listed load balancers alone.
public struct ProxyHeaderPolicy: Hashable, Sendable {
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        case off
        /// Load balancers may send a header; all others are served without.
        case accept
        /// Load balancers must send one, and nobody else is admitted over TCP.
        case require
    }

    public var mode: Mode
    /// Where the load balancers are.
    public var trusted: [AddressRange]

    public init(mode: Mode = .off, trusted: [AddressRange] = []) {
        self.mode = mode
        self.trusted = trusted
    }

    /// What is expected of a connection from `peer`; nil: it is not admitted. Unix-domain sockets are this machine's own
    /// and have no header.
    public func use(for peer: ClientAddress) -> FrontPolicy.ProxyHeaderUse? {
        guard let address = peer.ip, mode != .off else { return .refused }
        let isTrusted = trusted.contains { $0.contains(address) }
        switch mode {
        case .off: return .refused
        case .accept: return isTrusted ? .accepted : .refused
        case .require: return isTrusted ? .required : nil
        }
    }
}
