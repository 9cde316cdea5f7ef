import NIOCore
import WaldenAuth
import WaldenCore
import WaldenWire

/// One client's authentication under way: moves bytes and results between the client, the machine and the threads.
final class ClientLogin {
    /// How it ended.
    enum Outcome {
        /// The bytes, AuthenticationOk among them, are to be sent; the client may act by the credentials.
        case admitted([UInt8], ServerCredentials)
        case refused(ErrorResponse, cause: String)
    }

    private let authenticator: Authenticator
    private let loop: any EventLoop
    private let user: String
    private var machine: ClientAuthentication?
    private let send: ([UInt8]) -> Void
    private let resume: () -> Void
    private var finish: ((Outcome) -> Void)?
    /// Something must be computed or looked up before the client is heard again.
    private(set) var isBusy = false

    /// - Parameters:
    ///   - send: To the client, at once.
    ///   - resume: Something has been computed or looked up; the client is heard again.
    ///   - finish: Called once, unless `abandon` comes first.
    init(
        user: String, authenticator: Authenticator, loop: any EventLoop, send: @escaping ([UInt8]) -> Void,
        resume: @escaping () -> Void, finish: @escaping (Outcome) -> Void
    ) {
        self.user = user
        self.authenticator = authenticator
        self.loop = loop
        self.send = send
        self.resume = resume
        self.finish = finish
    }

    /// - Parameter certificateHash: Of Walden's certificate on this connection, for channel binding.
    func begin(_ method: AuthMethod, certificateHash: [UInt8]?) {
        switch method {
        // What the database keeps proves nothing to servers here, so it is not asked.
        case .trust, .cert, .reject:
            start(method, .known(authenticator.fileSecret(of: user), isRemembered: false), certificateHash)
        case .password, .md5, .scram:
            isBusy = true
            authenticator.lookUp(user, isFresh: false, on: loop) { lookup in
                self.isBusy = false
                self.start(method, lookup, certificateHash)
                self.resume()
            }
        }
    }

    private func start(_ method: AuthMethod, _ lookup: Authenticator.Lookup, _ certificateHash: [UInt8]?) {
        guard finish != nil, case .known(let secret, let isRemembered) = lookup else { return refuse(lookup) }
        let claim = ClientAuthentication.Claim(
            user: user, secret: secret, mayBeOutdated: isRemembered, certificateHash: certificateHash)
        var machine = ClientAuthentication(
            method: method, claim: claim, mocks: authenticator.mocks, random: Authenticator.random(18))
        let step = machine.begin()
        self.machine = consume machine
        act(on: step)
    }

    /// What follows from the client's unread bytes, to be handed to `act`, and how many of them are used up.
    func receive(_ input: borrowing RawSpan) -> (consumed: Int, step: ClientAuthentication.Step) {
        guard finish != nil, !isBusy else { return (0, .wait) }
        return machine?.receive(input) ?? (0, .wait)
    }

    /// The client is gone: nothing that comes late matters.
    func abandon() {
        finish = nil
    }

    func act(on step: ClientAuthentication.Step) {
        switch step {
        case .wait: break
        case .send(let bytes): send(bytes)
        case .derive(let work):
            isBusy = true
            authenticator.derive(work, on: loop) { self.derived($0) }
        case .lookUpAgain:
            isBusy = true
            authenticator.lookUp(user, isFresh: true, on: loop) { self.lookedUp($0) }
        case .admitted(let bytes, let credentials): end(.admitted(bytes, credentials))
        case .refused(let error): end(.refused(error, cause: "authentication_refused"))
        }
    }

    private func derived(_ result: Authenticator.Derived) {
        isBusy = false
        guard finish != nil else { return }
        switch result {
        case .keys(let keys): if let step = machine?.derived(keys) { act(on: step) }
        case .overloaded: refuse(.overloaded)
        }
        resume()
    }

    private func lookedUp(_ lookup: Authenticator.Lookup) {
        isBusy = false
        guard finish != nil else { return }
        guard case .known(let secret, _) = lookup else { return refuse(lookup) }
        if let step = machine?.lookedUp(secret) { act(on: step) }
        resume()
    }

    private func refuse(_ lookup: Authenticator.Lookup) {
        switch lookup {
        case .known: break
        case .overloaded:
            end(
                .refused(
                    ErrorResponse(
                        severity: .fatal, sqlState: .tooManyConnections,
                        message: "too many clients wait to be authenticated by Walden",
                        hint: "Try again; if it lasts, raise auth.threads."), cause: "authentication_overloaded"))
        case .failed:
            // The reason is the operator's, and in the log.
            end(
                .refused(
                    ErrorResponse(
                        severity: .fatal, sqlState: .cannotConnectNow,
                        message: "Walden could not ask the primary for the user's password",
                        hint: "Walden's log says why."), cause: "authentication_failed"))
        }
    }

    private func end(_ outcome: Outcome) {
        guard let finish else { return }
        self.finish = nil
        machine = nil
        finish(outcome)
    }
}
