import NIOCore
import WaldenCore
import WaldenPool
import WaldenProxy
import WaldenSession

/// The settings under `pool`, as they were given.
struct PoolChoices: Hashable, Sendable {
    /// `auto` is `transaction`: a session is bound to its server where it must be.
    var mode = "auto"
    var census = Pooling.Census.suspect.rawValue
    var reset = "auto"
    var limits = PoolLimits()
    var queryWait = PoolTimes().wait
    var outageWait = PoolTimes().outage
    var idle = PoolTimes().idle
    var checkDelay = PoolTimes().check
    var lifetime = PoolConfiguration().lifetime
    var login = Duration.seconds(15)
    var cancel = Duration.seconds(5)
    var serverStatements = PoolConfiguration().serverStatements
    var tcpUser = Duration.seconds(30)
    var query = Duration.zero
    var transaction = Duration.zero
    var idleTransaction = Duration.zero
    var clientIdle = Duration.zero

    static let modes = ["auto"] + Pooling.Mode.allCases.map(\.rawValue)

    var settings: PoolConfiguration {
        var settings = PoolConfiguration(
            limits: limits, times: PoolTimes(wait: queryWait, idle: idle, check: checkDelay, outage: outageWait),
            lifetime: lifetime,
            loginTimeout: .nanoseconds(login.wholeNanoseconds), resetsAlways: reset == "always",
            cancelTimeout: .nanoseconds(cancel.wholeNanoseconds))
        settings.mode = Pooling.Mode(rawValue: mode) ?? .transaction
        settings.census = Pooling.Census(rawValue: census) ?? .suspect
        settings.serverStatements = serverStatements
        settings.tcpUserTimeout = tcpUser
        settings.clientLimits = ClientTimeLimits(
            query: query, transaction: transaction, idleTransaction: idleTransaction, idle: clientIdle)
        return settings
    }
}
