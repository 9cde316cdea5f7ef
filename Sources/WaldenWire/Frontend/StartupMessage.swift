/// StartupMessage: the protocol version and the session's first settings (protocol chapter, Start-up; Message Formats,
/// StartupMessage).
public struct StartupMessage: Hashable, Sendable {
    /// To Swift two strings are equal when they look alike; to PostgreSQL they are not. Equality here is PostgreSQL's.
    public struct Parameter: Hashable, Sendable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        public static func == (lhs: Parameter, rhs: Parameter) -> Bool {
            lhs.name.utf8.elementsEqual(rhs.name.utf8) && lhs.value.utf8.elementsEqual(rhs.value.utf8)
        }
    }

    public var version: ProtocolVersion
    /// In the order sent, without the protocol options. Of a name given twice the last counts.
    public var parameters: [Parameter]
    /// The `_pq_.` options, which NegotiateProtocolVersion refuses by name when they are not known.
    public var protocolOptions: [Parameter]

    public init(version: ProtocolVersion = .earliest, parameters: [Parameter], protocolOptions: [Parameter] = []) {
        self.version = version
        self.parameters = parameters
        self.protocolOptions = protocolOptions
    }

    public init(version: ProtocolVersion = .earliest, user: String, database: String? = nil) {
        self.init(version: version, parameters: [Parameter(name: "user", value: user)])
        if let database {
            parameters.append(Parameter(name: "database", value: database))
        }
    }

    public var major: Int { version.major }
    public var minor: Int { version.minor }

    /// The last value given for `name`; names are equal when their bytes are.
    public subscript(name: String) -> String? {
        parameters.last { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// Never empty in a message that was parsed.
    public var user: String { self["user"] ?? "" }

    /// The user's name when none or an empty one was given, as in PostgreSQL.
    public var database: String {
        guard let database = self["database"], !database.isEmpty else { return user }
        return database
    }

    /// Appends the whole packet, with its length.
    public func encode(into bytes: inout [UInt8]) {
        MessageWriter.appendUntagged(into: &bytes) { bytes in
            bytes.appendInteger(version.rawValue)
            for parameter in parameters + protocolOptions {
                bytes.appendCString(parameter.name)
                bytes.appendCString(parameter.value)
            }
            bytes.append(0)
        }
    }

    /// Reads what follows the protocol version.
    ///
    /// It refuses what PostgreSQL refuses and one layout more: a last byte that is not zero, which PostgreSQL takes for
    /// the terminator when nothing else is missing.
    init(version: ProtocolVersion, reader: consuming BodyReader, in bytes: borrowing RawSpan) throws(WireError) {
        self.init(version: version, parameters: [])
        while true {
            // What a C string cannot be found in ends in the same complaint as a missing terminator.
            guard let nameEnd = bytes.firstZero(in: reader.offset..<reader.end) else {
                throw WireError(.startup(.missingTerminator))
            }
            if nameEnd == reader.offset { break }
            let name = try reader.readCString(in: bytes)
            guard bytes.firstZero(in: reader.offset..<reader.end) != nil else {
                throw WireError(.startup(.missingTerminator))
            }
            let parameter = Parameter(name: name, value: try reader.readCString(in: bytes))
            if name.utf8.starts(with: "_pq_.".utf8) {
                protocolOptions.append(parameter)
            } else {
                parameters.append(parameter)
            }
        }
        guard reader.remaining == 1 else { throw WireError(.startup(.missingTerminator)) }
        guard !user.isEmpty else { throw WireError(.startup(.missingUser)) }
    }
}
