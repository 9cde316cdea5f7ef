/// A five-character error code (PostgreSQL documentation, Appendix A; `utils/errcodes.txt`).
public struct SQLState: Hashable, Sendable, CustomStringConvertible {
    /// Five of `0`-`9` and `A`-`Z`.
    public let code: String

    private init(known code: String) {
        self.code = code
    }

    /// Nil unless `code` is five digits or upper-case letters.
    public init?(_ code: String) {
        let isCodeByte = { (byte: UInt8) in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }
        guard code.utf8.count == 5, code.utf8.allSatisfy(isCodeByte) else { return nil }
        self.code = code
    }

    public var description: String { code }
}

extension SQLState {
    public static let successfulCompletion = SQLState(known: "00000")
    /// Walden's own, of class 01 (warning), whose subclasses from `I` on are left to implementations: a result from the
    /// cache while the primary is being replaced.
    public static let servedInOutage = SQLState(known: "01W01")
    public static let sqlClientUnableToEstablishConnection = SQLState(known: "08001")
    public static let serverRejectedConnection = SQLState(known: "08004")
    public static let connectionFailure = SQLState(known: "08006")
    /// A commit was sent and its outcome is not known.
    public static let transactionResolutionUnknown = SQLState(known: "08007")
    public static let protocolViolation = SQLState(known: "08P01")
    public static let featureNotSupported = SQLState(known: "0A000")
    public static let characterNotInRepertoire = SQLState(known: "22021")
    public static let invalidParameterValue = SQLState(known: "22023")
    public static let activeSQLTransaction = SQLState(known: "25001")
    public static let readOnlySQLTransaction = SQLState(known: "25006")
    public static let inFailedSQLTransaction = SQLState(known: "25P02")
    public static let idleInTransactionSessionTimeout = SQLState(known: "25P03")
    public static let transactionTimeout = SQLState(known: "25P04")
    public static let invalidSQLStatementName = SQLState(known: "26000")
    public static let invalidAuthorizationSpecification = SQLState(known: "28000")
    public static let invalidPassword = SQLState(known: "28P01")
    public static let invalidCursorName = SQLState(known: "34000")
    public static let invalidCatalogName = SQLState(known: "3D000")
    public static let duplicateCursor = SQLState(known: "42P03")
    public static let insufficientPrivilege = SQLState(known: "42501")
    public static let undefinedObject = SQLState(known: "42704")
    public static let undefinedTable = SQLState(known: "42P01")
    public static let serializationFailure = SQLState(known: "40001")
    public static let deadlockDetected = SQLState(known: "40P01")
    public static let syntaxError = SQLState(known: "42601")
    public static let nameTooLong = SQLState(known: "42622")
    public static let duplicatePreparedStatement = SQLState(known: "42P05")
    public static let outOfMemory = SQLState(known: "53200")
    public static let tooManyConnections = SQLState(known: "53300")
    public static let configurationLimitExceeded = SQLState(known: "53400")
    public static let programLimitExceeded = SQLState(known: "54000")
    public static let objectNotInPrerequisite = SQLState(known: "55000")
    public static let queryCanceled = SQLState(known: "57014")
    public static let adminShutdown = SQLState(known: "57P01")
    public static let crashShutdown = SQLState(known: "57P02")
    public static let cannotConnectNow = SQLState(known: "57P03")
    public static let idleSessionTimeout = SQLState(known: "57P05")
    public static let configFileError = SQLState(known: "F0000")
    public static let internalError = SQLState(known: "XX000")
}
