import WaldenCore

extension BoundParameter {
    private var isUnspecified: Bool { type == .unspecified || type == .unknown }

    /// The value as a constant beside `column`.
    func constant(for column: ColumnReference, _ use: ParameterUse) -> Constant {
        guard let bytes else { return .null }
        let span = bytes.span.bytes
        guard let own = isUnspecified ? use.inferredType : type else { return .unknown }
        guard let target = use.castType, target != own else {
            return ConstantReading.constant(span, isBinary: isBinary, type: own, column: column)
        }
        switch own {
        // The text is read by the target's input function.
        case .text, .varchar: return ConstantReading.constant(span, isBinary: false, type: target, column: column)
        case .int2, .int4, .int8:
            // Either the same number or an error.
            let isNumber = target == .int2 || target == .int4 || target == .int8 || target == .numeric
            return isNumber
                ? ConstantReading.constant(span, isBinary: isBinary, type: own, column: column) : .unknown
        default: return .unknown
        }
    }

    /// The value as a LIKE pattern; nil when it is not certainly one.
    func like(_ use: ParameterUse, escape: UInt8?, matches: Bool) -> Test? {
        guard let bytes else { return .never }
        guard let own = isUnspecified ? use.inferredType : type, own == .text || own == .varchar else { return nil }
        return LikePattern(bytes, escape: escape)?.test(matches: matches)
    }

    /// The elements of an array value, each as a constant beside `column`; nil when they cannot be told.
    func elements(for column: ColumnReference, _ use: ParameterUse) -> [Constant]? {
        guard let bytes else { return [.null] }
        guard let own = isUnspecified ? use.inferredType : type, use.castType == nil || use.castType == own else {
            return nil
        }
        return ArrayReading.elements(bytes.span.bytes, isBinary: isBinary, arrayType: own, column: column)
    }
}
