import WaldenDependency
import WaldenWire

/// One exchange that ends with ReadyForQuery: a Query, a FunctionCall, or the extended-protocol messages up to a Sync.
struct Unit {
    /// A Parse of which the server owes the answer, in the order sent.
    struct PendingParse {
        /// Becomes known with ParseComplete; nil when the message was too long to hold.
        let statement: PreparedStatement?
        /// Sent by Walden for a deferred statement: the client must not see the answer.
        let isInjected: Bool
        /// What the server has then, where it is not the statement under its own name.
        var arrival = Arrival.own
        /// Its name is taken, so the server will refuse it.
        var isDoomed = false
    }

    /// Under which name a statement reaches a pooled server.
    enum Arrival: Hashable {
        case own
        /// `walden_<serial>`.
        case renamed(UInt64)
        /// By the client's name, another statement: the obstacle of that number.
        case obstacle(UInt64)
    }

    /// A Close of which a pooled server owes the answer, in the order sent.
    struct PendingClose {
        enum Subject {
            case portal
            /// By the client's name; the statement itself, should the Close never be reached.
            case statement([UInt8], PreparedStatement?)
            /// Sent by Walden, of `walden_<serial>` or of another statement: the client must not see the answer.
            case hidden(UInt64?)
        }

        let subject: Subject
        /// The Parse messages of the unit that were sent before it.
        let parsesBefore: Int
    }

    /// A Describe of a statement of which a pooled server owes the answer, in the order sent.
    struct PendingDescribe {
        /// What the answer is about; nil: it is the client's alone.
        let subject: DescribedStatement?
        /// Sent by Walden: the client must not see the answer.
        let isHidden: Bool
        /// Of its portal: without ParameterDescription.
        var isOfPortal = false
    }

    /// A statement that was parsed again and has another shape than it had for the client.
    enum Staleness {
        case found
        /// The server has been sent what it will refuse.
        case refused
    }

    /// Why a unit is hidden.
    enum Purpose {
        /// Statements that others may name.
        case preparation
        /// The same statement as before, in case SQL is about to name it.
        case comparison(PreparedStatement)
        /// The BEGIN of a transaction of which the client has been told already.
        case begin
        /// What the session's default isolation level is.
        case isolationInquiry
        /// What the session has where it assigned nothing.
        case defaultsInquiry
        /// The session's settings, on a server that had others.
        case replay
        /// The client's `application_name`, after a RESET in a transaction.
        case renaming
        /// What binds the session to its server.
        case census
        /// What others drew from sequences there.
        case sequences
        /// Statements that are not needed there any more.
        case cleaning
        /// What the server calls the transaction in progress.
        case naming
        /// What has become of a transaction that is in doubt.
        case verdict

        /// Whether nothing is missed when its answer never comes: what it is for is asked again at the next server, or was
        /// about that one alone.
        var isAskedAnew: Bool {
            switch self {
            case .preparation, .isolationInquiry, .defaultsInquiry, .replay, .renaming, .sequences, .cleaning: true
            case .comparison, .begin, .census, .naming, .verdict: false
            }
        }

        /// Whether the rows of the answer are read.
        var isInquiry: Bool {
            switch self {
            case .isolationInquiry, .defaultsInquiry, .census, .naming, .verdict: true
            case .preparation, .comparison, .begin, .replay, .renaming, .sequences, .cleaning: false
            }
        }
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
    /// On pooled servers.
    var pendingCloses: [PendingClose] = []
    var answeredCloses = 0
    /// On pooled servers.
    var pendingDescribes: [PendingDescribe] = []
    var answeredDescribes = 0
    /// The first half of the next answer.
    var describedParameters: [UInt32]?
    var staleness: Staleness?
    /// Nothing goes on before a statement has been compared in it.
    var isComparing = false
    /// The statement is compared for a Describe: what that tells of parameters before it tells that the result is another.
    var parametersToTell: [UInt32]?
    /// Nothing of the client's was sent in it before what is compared.
    var beginsComparing = false
    /// What came before has been asked for by a Flush of Walden's.
    var isFlushed = false
    /// The client's bytes, in case a read that a replica refuses has to be run again on the primary.
    var heldRead: [UInt8]?
    /// The client's bytes of a read at the primary, until that begins to answer.
    var unansweredRead: [UInt8]?
    /// It is to be run again as soon as the server is done with it.
    var isToRerun = false
    /// Its statement is COMMIT.
    var endsTransaction = false
    /// Its statement is ROLLBACK, and nothing else is in it.
    var isRollback = false
    /// The statement that it named last by a name of Walden's, and that name's serial.
    var lastRenamed: (statement: PreparedStatement, serial: UInt64)?
    /// A Query or FunctionCall ended it without a Sync: after an error the server skips that, too, and goes on to the
    /// next Sync.
    var endsByCall = false
    /// The server has begun a COPY FROM STDIN.
    var copiesIn = false
    /// It drops all prepared statements if it succeeds.
    var dropsStatements = false
    /// It deallocates this statement, if it succeeds.
    var deallocates: [UInt8]?
    /// DISCARD ALL completed within it.
    var clearsSession = false
    /// Statements of the unit may have bound the session to its server, or assigned settings unseen.
    var isSuspect = false
    /// What its statements draw on that only the server process knows.
    var draws: SessionDraws = []
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

    /// The server waits for data: it ignores a Sync, and answers nothing before it has all.
    var isCopyingIn: Bool { copiesIn && !copyEnded }

    /// Names may mean nothing any more once it has ended.
    var takesStatements: Bool { dropsStatements || deallocates != nil }

    var owesDescription: Bool { answeredDescribes < pendingDescribes.count }

    /// Answers to Parse messages of the client are still to come.
    var definesStatements: Bool { pendingParses[answeredParses...].contains { !$0.isInjected } }

    /// Whether a Parse is unanswered that has the text and types in `definition`.
    func parses(_ definition: Range<Int>, in bytes: borrowing RawSpan) -> Bool {
        for parse in pendingParses[answeredParses...] {
            guard let statement = parse.statement else { continue }
            if bytes.holds(statement.definition, at: definition) { return true }
        }
        return false
    }

    /// What the unit's unanswered messages make of a statement's name; nil: nothing.
    func change(of name: Range<Int>, in input: borrowing RawSpan) -> SessionMachine.KnownStatement? {
        var parse = pendingParses.count - 1
        var close = pendingCloses.count - 1
        while parse >= answeredParses || close >= answeredCloses {
            if close >= answeredCloses, parse < answeredParses || pendingCloses[close].parsesBefore > parse {
                if case .statement(let closed, _) = pendingCloses[close].subject, input.holds(closed, at: name) {
                    return SessionMachine.KnownStatement.none
                }
                close -= 1
                continue
            }
            let pending = pendingParses[parse]
            parse -= 1
            if pending.isInjected || pending.isDoomed { continue }
            guard let statement = pending.statement else { return .unheld }
            if input.holds(statement.name, at: name) { return .statement(statement) }
        }
        return nil
    }
}
