import WaldenCore
import WaldenDecoding

/// Events of the stream as lines of text.
enum Rendering {
    /// The contents of a transaction, one line each. Relations that have no row here are named by `name`.
    static func contents(_ transaction: CommittedTransaction, name: (RelationID) -> String) -> [String] {
        transaction.changes.map { change($0) }
            + transaction.wholeRelations.map { "whole \(name($0))" }.sorted()
            + transaction.messages.map { "message \($0.prefix) \(quoted($0.content))" }
    }

    static func change(_ change: RowChange) -> String {
        let relation = "\(change.relation.namespace).\(change.relation.name)"
        let old = change.old.map { " " + image($0, change.bytes) } ?? ""
        let new = change.new.map { " " + image($0, change.bytes) } ?? ""
        return switch change.kind {
        case .insert: "insert \(relation)\(old)\(new)"
        case .update: "update \(relation)\(old) ->\(new)"
        case .delete: "delete \(relation)\(old)\(new)"
        }
    }

    private static func image(_ fields: [Field], _ bytes: [UInt8]) -> String {
        "(" + fields.map { value($0, bytes) }.joined(separator: ", ") + ")"
    }

    private static func value(_ field: Field, _ bytes: [UInt8]) -> String {
        switch field.kind {
        case .null: "null"
        case .unchangedToast: "toast"
        case .notSent: "~"
        case .text: quoted(Array(bytes[field.range]))
        case .binary: "x'" + hex(bytes[field.range]) + "'"
        }
    }

    static func quoted(_ bytes: [UInt8]) -> String {
        if bytes.count > 64, let first = bytes.first, bytes.allSatisfy({ $0 == first }) {
            return quoted([first]) + " * \(bytes.count)"
        }
        var text = ""
        for character in String(decoding: bytes, as: UTF8.self) {
            switch character {
            case "'": text += "\\'"
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return "'\(text)'"
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
