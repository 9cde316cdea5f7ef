import Testing

extension Trait where Self == TimeLimitTrait {
    /// A test's time begins before it is given one of the few threads, all of which tests of several minutes may hold. So
    /// this only tells of one that never ends.
    static var againstHanging: Self { .timeLimit(.minutes(10)) }
}
