/// How fresh a cached result must be (docs/internals/exactness.md).
public enum ConsistencyLevel: String, Hashable, Sendable, CaseIterable { case bounded, session, strict }
