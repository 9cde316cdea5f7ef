/// How a value is written (protocol chapter, Formats and Format Codes).
public enum FormatCode: Int16, Hashable, Sendable {
    case text = 0
    case binary = 1
}
