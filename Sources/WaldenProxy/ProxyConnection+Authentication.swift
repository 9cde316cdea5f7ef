import Logging
import NIOCore
import WaldenAuth
import WaldenCore
import WaldenWire

/// Where Walden authenticates the client itself.
extension ProxyConnection {
    /// Finds out whether the client is who it says, by the rules; goes on by `admitted`, with AuthenticationOk in the
    /// output, or refuses it.
    func authenticate(
        _ startup: StartupMessage, by rules: AuthRules, admitted: @escaping (ServerCredentials) -> Void
    ) {
        let request = AuthRules.Request(
            user: startup.user, database: startup.database,
            isPhysicalReplication: startup.replication == .physical)
        switch rules.decide(request, from: info) {
        case .refuse(let error): refuseLogin(of: startup.user, error, cause: "authentication_refused")
        case .ask(let method): authenticate(startup.user, by: method, admitted: admitted)
        }
    }

    private func authenticate(
        _ user: String, by method: AuthMethod, admitted: @escaping (ServerCredentials) -> Void
    ) {
        guard let client else { return }
        state = .authenticating
        let login = ClientLogin(
            user: user, authenticator: context.authenticator, loop: client.eventLoop,
            send: { bytes in
                self.clientOutput.writeBytes(bytes)
                self.flushClient()
            },
            resume: { self.processLogin() },
            finish: { outcome in
                self.login = nil
                switch outcome {
                case .refused(let error, let cause): self.refuseLogin(of: user, error, cause: cause)
                case .admitted(let bytes, let credentials):
                    self.counters.count { $0.authentications["admitted", default: 0] += 1 }
                    self.clientOutput.writeBytes(bytes)
                    admitted(credentials)
                }
            })
        self.login = login
        login.begin(method, certificateHash: info.tls?.serverEndPoint)
        processLogin()
    }

    /// The client has sent something, or it is heard again.
    func processLogin() {
        while state == .authenticating, let login, clientInput.readableBytes > 0 {
            // What is to be done comes after the look at the buffer: it may take or drop what is left there.
            let (consumed, step) = clientInput.withUnsafeReadableBytes { login.receive($0.bytes) }
            clientInput.moveReaderIndex(forwardBy: consumed)
            if step == .wait { break }
            login.act(on: step)
        }
        if state == .authenticating { adjustReading() }
    }

    private func refuseLogin(of user: String, _ error: ErrorResponse, cause: String) {
        let result = String(cause.dropFirst("authentication_".count))
        counters.count { $0.authentications[result, default: 0] += 1 }
        context.log.info(
            "a client was refused",
            metadata: ["client": "\(info.address)", "user": "\(user)", "reason": "\(error.message)"])
        fail(error, cause: cause)
    }
}
