/// What is known of one statement shape.
public struct ShapeReport: Hashable, Sendable {
    /// Sixteen hexadecimal digits.
    public var id = ""
    /// The statement without its constants.
    public var text = ""
    public var hits: UInt64 = 0
    public var misses: UInt64 = 0
    public var fillsBegun: UInt64 = 0
    public var fillsKept: UInt64 = 0
    public var fillsTainted: UInt64 = 0
    public var fillsDeclined: UInt64 = 0
    /// Entries dropped, by cause.
    public var invalidations: [String: UInt64] = [:]
    /// Means of late.
    public var executionSeconds = 0.0
    public var resultBytes = 0.0
    /// Time at the server that hits have saved.
    public var savedSeconds = 0.0
    /// What a fill saves by what it costs, of late.
    public var benefit = 0.0
    /// `kept`, `declined`, or `quarantined`.
    public var standing = "kept"

    public init() {}
}

/// One entry dropped.
public struct InvalidationReport: Hashable, Sendable {
    public var lsn = ""
    public var transaction: UInt64 = 0
    public var table = ""
    /// `insert`, `update`, `delete`, `whole_relation`.
    public var change = ""
    public var cause = ""
    /// In words: by which columns the change was matched.
    public var matched = ""
    /// The changed row's key; empty unless values may be shown.
    public var key: [String] = []

    public init() {}
}

/// Whose statement is to be explained.
public struct ExplainQuestion: Hashable, Sendable {
    public var sql: String
    /// The role that sends it; nil: the instance's own.
    public var user: String?
    public var searchPath: String?
}

/// What a running instance makes of a statement.
public struct ExplainReport: Hashable, Sendable {
    public struct Table: Hashable, Sendable {
        public var name = ""
        /// Nil: any column may matter.
        public var columns: [String]?
        public var rows = ""
        public var matching = ""

        public init() {}
    }

    public var cacheable = false
    /// The rule that refuses it, and what it met.
    public var refusal: String?
    public var explanation: String?
    public var tables: [Table] = []
    /// What it does to its session.
    public var effects: [String] = []
    /// Where it may run: on any node, or on the primary and why.
    public var route = ""
    /// The rule of the configuration that matches, and what it says.
    public var configurationRule: String?
    /// Why its results are not kept now, one reason a line; empty when they are.
    public var notKeptBecause: [String] = []
    /// Nil: it was not looked up lately.
    public var shape: ShapeReport?
    public var shapeID: String?
    /// Newest first.
    public var invalidations: [InvalidationReport] = []

    public init() {}
}

/// What the admin port can ask of the instance beside its figures. Called from any thread.
public struct AdminQuestions: Sendable {
    public var explain: @Sendable (ExplainQuestion) -> ExplainReport
    /// The shapes whose results have saved most, at most so many.
    public var shapes: @Sendable (Int) -> [ShapeReport]
    /// By node, the lag of the last ten minutes, oldest first.
    public var lag: @Sendable () -> [(node: String, points: [LagPointReport])]
    /// For load balancers.
    public var health: @Sendable (HealthQuestion) -> HealthAnswer

    public init(
        explain: @escaping @Sendable (ExplainQuestion) -> ExplainReport,
        shapes: @escaping @Sendable (Int) -> [ShapeReport],
        lag: @escaping @Sendable () -> [(node: String, points: [LagPointReport])],
        health: @escaping @Sendable (HealthQuestion) -> HealthAnswer = { _ in HealthAnswer(.unfit, "nothing is known") }
    ) {
        self.explain = explain
        self.shapes = shapes
        self.lag = lag
        self.health = health
    }

    /// Of an instance that knows nothing.
    static let none = AdminQuestions(explain: { _ in ExplainReport() }, shapes: { _ in [] }, lag: { [] })
}
