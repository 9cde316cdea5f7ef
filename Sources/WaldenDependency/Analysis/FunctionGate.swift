import WaldenCore

/// Whether functions, operators and types are deterministic given the database state and the key.
extension NameResolver {
    struct CheckedCall {
        /// When only one function can be meant and it is no pseudo-type.
        var type: TypeID?
        /// What the functions that can be meant are declared to read.
        var reads: [RelationEntry] = []
    }

    func check(_ call: FunctionCall, arguments: [TypeID?]) throws(Refusal) -> CheckedCall {
        let isOpenEnded = call.hasNamedArguments || call.isVariadic || call.isWithinGroup
        let argumentCount = isOpenEnded ? nil : call.arguments.count
        let all = functions(call.name, argumentCount: argumentCount)
        guard !all.isEmpty else {
            throw Refusal(.function, "function \(call.name) with these arguments is not in the catalog snapshot")
        }
        if BuiltInFunctions.dateConversions.contains(call.name.name), call.arguments.count == 1,
            all.allSatisfy(\.isBuiltIn)
        {
            try checkDateConversion(call.arguments[0], type: arguments.first ?? nil, to: call.name.name)
            return CheckedCall()
        }
        var candidates = argumentCount == nil ? all : narrowed(all, arguments: arguments)
        if call.name.name == "timezone", arguments.count == 2, let time = arguments[1], TypeProperties.isInstant(time) {
            candidates = candidates.filter { !$0.isBuiltIn || $0.arguments.last != .timetz }
        }
        var checked = CheckedCall()
        for candidate in candidates { checked.reads += try check(candidate) }
        if candidates.count == 1, let result = catalog.type(candidates[0].result), result.kind != .pseudo {
            checked.type = result.id
        }
        return checked
    }

    /// - Returns: What it is declared to read.
    private func check(_ function: FunctionEntry) throws(Refusal) -> [RelationEntry] {
        let name = "function \(function.isBuiltIn ? function.name : "\(function.schema).\(function.name)")"
        guard function.kind != .procedure else { throw Refusal(.function, "\(name) is a procedure") }
        if function.isBuiltIn {
            switch function.volatility {
            case .immutable: return []
            case .stable where BuiltInFunctions.deterministicStable.contains(function.name): return []
            case .stable where function.name == "timezone" && function.arguments.last != .timetz: return []
            case .stable: throw Refusal(.function, "\(name) is STABLE and depends on more than its arguments")
            case .volatile: throw Refusal(.function, "\(name) is VOLATILE")
            }
        }
        switch function.kind {
        // Declared IMMUTABLE by CREATE AGGREGATE, whatever its parts are.
        case .aggregate, .window: throw Refusal(.function, "\(name) is a user-defined aggregate or window function")
        case .function, .procedure: break
        }
        // A time is converted to it by today's offset.
        guard !function.arguments.contains(.timetz) else {
            throw Refusal(.specialDate, "\(name) takes a time with time zone")
        }
        if let declared = declared.declaration(of: function, in: catalog) { return try reads(declared, function) }
        guard function.volatility == .immutable, !function.mayChangeSettings else {
            throw Refusal(.function, "\(name) is not IMMUTABLE, nor declared in the configuration")
        }
        return []
    }

    /// Text that only the rows hold must not reach date input: it may say `today`.
    func checkDateConversion(_ argument: Expression, type: TypeID?, to name: String) throws(Refusal) {
        guard name != "timetz" else {
            throw Refusal(.specialDate, "time with time zone is read by the current date")
        }
        switch argument {
        // Literals have been looked at, parameters will be.
        case .literal, .parameter: return
        case .list(.array, let items):
            for item in items { try checkDateConversion(item, type: nil, to: name) }
            return
        default: break
        }
        guard let type, TypeProperties.isDateOrTime(type) else {
            throw Refusal(.cast, "a value not known to be a date or time is converted to \(name)")
        }
    }

    /// - Returns: The operator's result type, when only one operator can be meant.
    @discardableResult
    func check(operator name: QualifiedName, left: TypeID?, right: TypeID?) throws(Refusal) -> TypeID? {
        let candidates = operators(name, left: left, right: right)
        guard !candidates.isEmpty else {
            throw Refusal(.operatorUnknown, "operator \(name) is not in the catalog snapshot")
        }
        for candidate in candidates {
            guard let function = catalog.function(candidate.function) else {
                throw Refusal(.operatorUnknown, "operator \(name) has no known function")
            }
            let isSound =
                candidate.isBuiltIn
                ? function.volatility != .volatile
                : function.volatility == .immutable && !function.mayChangeSettings
            guard isSound else {
                throw Refusal(.operatorUnknown, "operator \(candidate.schema).\(name.name) is not IMMUTABLE")
            }
        }
        guard candidates.count == 1, let function = catalog.function(candidates[0].function),
            let result = catalog.type(function.result), result.kind != .pseudo
        else { return nil }
        return result.id
    }
}
