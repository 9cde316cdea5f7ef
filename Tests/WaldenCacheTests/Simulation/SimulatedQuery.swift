import WaldenCore
import WaldenDependency

/// A query of the simulation: what it returns for a state, and what its analysis says it depends on.
enum SimulatedQuery: Hashable, CaseIterable {
    case valueOf0, valueOf1, valueOf2
    case countOfGroup0, countOfGroup1
    case idsIn
    case valuesAbove
    case groupAndValue
    case everything
    case view
    /// The first two of a group by value; rows beyond them come and go.
    case topOfGroup2
    case idsOfGroup1

    static let viewID: UInt32 = 77

    var key: [UInt8] { Array("\(self)".utf8) }

    /// Kept whether or not it pays, and audited.
    var policy: StatementPolicy {
        var rule = CacheRule(name: "simulated")
        rule.caching = .force
        let number = UInt64(Self.allCases.firstIndex(of: self) ?? 0)
        let shape = StatementShape(id: ShapeID(rawValue: number), normalized: key)
        return StatementPolicy(shape: shape, rule: rule, audit: .rows)
    }

    func result(in state: SimulatedPrimary.State) -> String {
        let rows = state.rows.sorted { $0.key < $1.key }
        switch self {
        case .valueOf0: return "\(String(describing: state.rows[0]?.v))"
        case .valueOf1: return "\(String(describing: state.rows[1]?.v))"
        case .valueOf2: return "\(String(describing: state.rows[2]?.v))"
        case .countOfGroup0: return "\(rows.count { $0.value.g == 0 })"
        case .countOfGroup1: return "\(rows.count { $0.value.g == 1 })"
        case .idsIn: return "\(rows.filter { [1, 3, 5].contains($0.key) }.map { ($0.key, $0.value.v) })"
        case .valuesAbove: return "\(rows.filter { $0.value.v > 5 }.map { ($0.key, $0.value.v) })"
        case .groupAndValue: return "\(rows.count { $0.value.g == 2 && $0.value.v >= 2 && $0.value.v < 7 })"
        case .everything: return "\(rows.map { ($0.key, $0.value) })"
        case .view: return "\(rows.filter { $0.value.g == state.viewGroup }.map { ($0.key, $0.value.v) })"
        case .topOfGroup2: return "\(top(state).map { ($0.key, $0.value.v) })"
        case .idsOfGroup1: return "\(rows.filter { $0.value.g == 1 }.map(\.key))"
        }
    }

    private func top(_ state: SimulatedPrimary.State) -> [(key: Int64, value: SimulatedPrimary.Row)] {
        let rows = state.rows.filter { $0.value.g == 2 }.sorted { ($1.value.v, $0.key) < ($0.value.v, $1.key) }
        return Array(rows.prefix(2))
    }

    /// The keys that the result shows; nil when it does not.
    func keys(in state: SimulatedPrimary.State) -> ResultKeys? {
        let ids: [Int64]
        switch self {
        case .valuesAbove: ids = state.rows.filter { $0.value.v > 5 }.map(\.key)
        case .view: ids = state.rows.filter { $0.value.g == state.viewGroup }.map(\.key)
        case .topOfGroup2: ids = top(state).map(\.key)
        case .idsOfGroup1: ids = state.rows.filter { $0.value.g == 1 }.map(\.key)
        default: return nil
        }
        return ResultKeys(values: [ids.map { .known(.integer($0)) }])
    }

    /// With the plan by which `keys` are filed.
    func keyedDependencies(viewGroup: Int64) -> Dependencies {
        let plain = dependencies(viewGroup: viewGroup)
        guard keys(in: .init()) != nil else { return plain }
        return Dependencies(
            tables: plain.tables.map {
                TableDependency(
                    relation: $0.relation, columns: $0.columns, predicate: $0.predicate, resultKey: 0)
            },
            resultKeys: ResultKeyPlan(width: 2, keys: [[.init(reference: column("id"), position: 0)]]))
    }

    /// `viewGroup`: the view's definition in the catalog under which the query is analysed.
    func dependencies(viewGroup: Int64) -> Dependencies {
        switch self {
        case .valueOf0: depends(columns: ["id", "v"], [equal("id", 0)])
        case .valueOf1: depends(columns: ["id", "v"], [equal("id", 1)])
        case .valueOf2: depends(columns: ["id", "v"], [equal("id", 2)])
        case .countOfGroup0: depends(columns: ["g"], [equal("g", 0)])
        case .countOfGroup1: depends(columns: ["g"], [equal("g", 1)])
        case .idsIn: depends(columns: ["id", "v"], [equal("id", 1, 3, 5)])
        case .valuesAbove: depends(columns: ["id", "v"], [within("v", .exclusive(.integer(5)), .unbounded)])
        case .groupAndValue:
            depends(
                columns: ["g", "v"],
                [equal("g", 2), within("v", .inclusive(.integer(2)), .exclusive(.integer(7)))])
        case .everything: depends(columns: nil, [])
        case .view:
            Dependencies(
                tables: depends(columns: ["id", "g", "v"], [equal("g", viewGroup)]).tables
                    + depends(on: Self.viewID, []).tables)
        case .topOfGroup2: depends(columns: ["id", "g", "v"], [equal("g", 2)])
        case .idsOfGroup1: depends(columns: ["id", "g"], [equal("g", 1)])
        }
    }
}
