import WaldenWire

/// One exchange that ends with ReadyForQuery: a Query, a FunctionCall, or the extended-protocol messages up to a Sync.
struct Unit {
    /// A Parse of which the server owes the answer, in the order sent.
    struct PendingParse {
        /// Becomes known with ParseComplete; nil when the message was too long to hold.
        let statement: PreparedStatement?
        /// Sent by Walden for a deferred statement: the client must not see the answer.
        let isInjected: Bool
    }

    /// Why a unit is hidden.
    enum Purpose {
        /// Statements that others may name.
        case preparation
        /// The BEGIN of a transaction of which the client has been told already.
        case begin
        /// What the session's default isolation level is.
        case isolationInquiry
        /// What the session has where it assigned nothing.
        case defaultsInquiry

        /// Whether the row of the answer is read.
        var isInquiry: Bool { self == .isolationInquiry || self == .defaultsInquiry }
    }

    let isExtended: Bool
    /// Sent by Walden: the client must see none of its answers.
    let isHidden: Bool
    var purpose = Purpose.preparation
    var effects = UnitEffects()
    /// Something runs within it; a unit may also only prepare.
    var executes = false
    /// The cache fill that this unit's result is captured for.
    var fill: UInt64?
    /// Reads that result's keys, when the fill wants them.
    var keyReader: ResultKeyReader?
    var pendingParses: [PendingParse] = []
    var answeredParses = 0
    var failed = false
    /// Of a hidden unit.
    var error: ErrorResponse?
    /// The unit's statement, or one of them, is this BEGIN.
    var begin: BeginForm?
    /// SET TRANSACTION or its like completed within the unit.
    var setsTransaction = false
    /// A COMMIT or ROLLBACK completed within the unit.
    var crossedTransactionEnd = false
    /// A ROLLBACK did, of the transaction or to a savepoint: the tag is the same, the status at the end tells.
    var rolledBack = false
    /// The client has sent CopyDone or CopyFail within the unit.
    var copyEnded = false
    /// The server went into COPY FROM STDIN after the Sync had been sent; it ignores that one (protocol chapter, COPY
    /// operations), so the next Sync ends the unit.
    var awaitsSecondSync = false

    init(isExtended: Bool, isHidden: Bool = false, fill: UInt64? = nil) {
        self.isExtended = isExtended
        self.isHidden = isHidden
        self.fill = fill
    }
}
