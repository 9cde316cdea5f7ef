import DequeModule
import WaldenCore
import WaldenWire

/// Whether a statement can be executed now.
enum StatementVerdict {
    case unchanged
    case obstructed(ErrorResponse)
}

/// Why a statement cannot be executed, which its name must exist for nevertheless: on the server, another stands in its
/// place, of which the error is known.
struct StatementObstacle {
    /// Tells it from others.
    let number: UInt64
    let error: ErrorResponse
    /// The server has what stands in its place.
    var isPlaced = false

    private static let setting = "walden.obstacle_"

    /// The text that fails when it is executed, and not before.
    var text: String { "SELECT pg_catalog.current_setting('\(Self.setting)\(number)')" }

    /// Which obstacle an error is about.
    static func number(_ error: ErrorResponse) -> UInt64? {
        guard error.sqlState == .undefinedObject, let found = error.message.firstRange(of: setting) else {
            return nil
        }
        return UInt64(error.message[found.upperBound...].prefix { $0.isASCII && $0.isNumber })
    }
}

/// Names of statements that cannot be executed, where SQL may name them.
extension SessionMachine {
    mutating func obstruct(_ statement: PreparedStatement, _ error: ErrorResponse) {
        guard let names = pooled?.pooling.statements else { return }
        let old = statement.obstacle
        let isThere = old.map { $0.isPlaced || isUnderWay($0) } ?? false
        let obstacle = StatementObstacle(
            number: old?.number ?? names.fresh(), error: error, isPlaced: old?.isPlaced ?? false)
        statement.obstacle = obstacle
        if isThere { return }
        let types = statement.shape?.parameters?.map { TypeID($0) } ?? []
        let name = String(decoding: statement.name, as: UTF8.self)
        injection += Parse(name: name, query: obstacle.text, parameterTypes: types).encoded()
        units[units.count - 1].pendingParses.append(
            .init(statement: nil, isInjected: true, arrival: .obstacle(obstacle.number)))
    }

    func isUnderWay(_ obstacle: StatementObstacle) -> Bool {
        for index in units.indices where !units[index].failed {
            for parse in units[index].pendingParses[units[index].answeredParses...]
            where parse.arrival == .obstacle(obstacle.number) {
                return true
            }
        }
        return false
    }

    /// The statement that obstacle stands for; a Close of it may be under way.
    func obstructed(_ number: UInt64) -> PreparedStatement? {
        if let statement = statements.all.first(where: { $0.obstacle?.number == number }) { return statement }
        for unit in units {
            for close in unit.pendingCloses {
                if case .statement(_, let statement?) = close.subject, statement.obstacle?.number == number {
                    return statement
                }
            }
        }
        return nil
    }
}
