import WaldenCore

extension TypeProperties {
    /// `date`, `timestamp`, `timestamptz`: what AT TIME ZONE converts without asking for today's offset.
    static func isInstant(_ type: TypeID) -> Bool {
        switch type {
        case .date, .timestamp, .timestamptz: true
        default: false
        }
    }

    /// Types that name catalog objects: their text depends on the catalog and the search path.
    static func isCatalogReference(_ type: TypeID) -> Bool {
        switch type.rawValue {
        case 24, 2202...2206, 3734, 3769, 4089, 4096, 4191, 1033: true
        default: false
        }
    }

    /// Types whose input reads dates within: ranges and multiranges of them.
    static func holdsDates(_ type: TypeID) -> Bool {
        switch type.rawValue {
        case 3908, 3910, 3912, 4533, 4534, 4535: true
        default: isInstant(type) || type == .time
        }
    }

    /// Types whose input never reads a date, so that a string beside a column of them is harmless.
    static func isDateless(_ type: TypeID, in catalog: CatalogSnapshot) -> Bool {
        switch type {
        case .text, .varchar, .bpchar, .name, .bool, .int2, .int4, .int8, .oid, .numeric, .float4, .float8, .uuid,
            .bytea:
            true
        default: catalog.type(type)?.kind == .enumeration
        }
    }
}

extension NameResolver {
    /// Whether values of a column's type are printed and read the same in every session.
    func check(columnType type: TypeID) throws(Refusal) {
        var id = type
        var steps = 0
        while let entry = catalog.type(id), steps < 8 {
            steps += 1
            try checkCasts(of: entry)
            if id == .timetz {
                throw Refusal(.specialDate, "time with time zone is read by the current date")
            }
            if TypeProperties.isCatalogReference(id) {
                throw Refusal(.dataType, "the text of type \(entry.name) depends on the catalog and the search path")
            }
            switch entry.kind {
            case .domain: id = entry.base
            case .enumeration: return
            case .composite, .pseudo: throw Refusal(.dataType, "type \(entry.name) is a row type")
            case .range, .multirange:
                guard entry.isBuiltIn else { throw Refusal(.dataType, "type \(entry.name) is a user-defined range") }
                return
            case .base where entry.category == UInt8(ascii: "A") && entry.element != .unspecified: id = entry.element
            case .base: return try check(function: entry.output, of: entry)
            }
        }
        throw Refusal(.dataType, "a column's type is not in the catalog snapshot")
    }

    /// Input and output functions of user-defined types must be IMMUTABLE.
    private func check(function oid: UInt32, of type: TypeEntry) throws(Refusal) {
        if type.isBuiltIn { return }
        guard let function = catalog.function(oid), function.volatility == .immutable else {
            throw Refusal(.dataType, "input or output of type \(type.name) is not IMMUTABLE")
        }
    }

    private func checkCasts(of type: TypeEntry) throws(Refusal) {
        for cast in catalog.casts where cast.function != 0 && (cast.source == type.id || cast.target == type.id) {
            guard catalog.function(cast.function)?.volatility == .immutable else {
                throw Refusal(.cast, "a user-defined cast of type \(type.name) is not IMMUTABLE")
            }
        }
    }

    /// - Returns: The type cast to; nil for array types whose OID is not fixed.
    func check(castOf argument: Expression, type: TypeID?, to name: TypeName) throws(Refusal) -> TypeID? {
        guard !name.isSetOf, let target = try self.type(name.name) else {
            throw Refusal(.cast, "type \(name.name) is not in the catalog snapshot")
        }
        try checkCasts(of: target)
        var element = target
        if target.category == UInt8(ascii: "A"), let inner = catalog.type(target.element) { element = inner }
        if TypeProperties.isCatalogReference(element.id) {
            throw Refusal(.cast, "a cast to \(element.name) looks names up in the catalog")
        }
        if element.id == .timetz { try checkDateConversion(argument, type: type, to: "timetz") }
        if TypeProperties.holdsDates(element.id), type != element.id {
            try checkDateConversion(argument, type: type, to: element.name)
        }
        switch element.kind {
        case .enumeration: break
        case .base: try check(function: element.input, of: element)
        case .range, .multirange:
            guard element.isBuiltIn else { throw Refusal(.cast, "type \(element.name) is a user-defined range") }
        case .domain: throw Refusal(.cast, "the constraints of domain \(element.name) are not looked into")
        case .composite, .pseudo: throw Refusal(.cast, "a cast to row type \(element.name)")
        }
        if name.isArray { return ArrayReading.array(of: target.id) }
        return target.id
    }
}
