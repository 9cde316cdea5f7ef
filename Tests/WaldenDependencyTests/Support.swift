import WaldenDependency

/// `Test` under a name of its own, for the testing library has one, too.
typealias ColumnTest = Test
