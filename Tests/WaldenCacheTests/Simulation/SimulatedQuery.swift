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
        }
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
        case .view: depends(columns: ["id", "g", "v"], [equal("g", viewGroup)])
        }
    }
}
