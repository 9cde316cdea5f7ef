import WaldenCore

extension BoundParameter {
    /// The value as a constant beside `column`.
    ///
    /// - Parameter inferredType: The type that the server gives the parameter when the client names none.
    func constant(for column: ColumnReference, inferredType: TypeID?) -> Constant {
        guard let bytes else { return .null }
        let isUnspecified = type == .unspecified || type == .unknown
        guard let own = isUnspecified ? inferredType : type else { return .unknown }
        return ConstantReading.constant(bytes.span.bytes, isBinary: isBinary, type: own, column: column)
    }

    /// The elements of an array value, each as a constant beside `column`; nil when they cannot be told.
    func elements(for column: ColumnReference, inferredType: TypeID?) -> [Constant]? {
        guard let bytes else { return [.null] }
        let isUnspecified = type == .unspecified || type == .unknown
        guard let own = isUnspecified ? inferredType : type else { return nil }
        return ArrayReading.elements(bytes.span.bytes, isBinary: isBinary, arrayType: own, column: column)
    }
}
