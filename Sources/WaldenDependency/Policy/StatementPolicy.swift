/// How the cache is to treat a cacheable statement, beyond what makes its results right.
public final class StatementPolicy: Sendable {
    public let shape: StatementShape

    public init(shape: StatementShape) {
        self.shape = shape
    }
}
