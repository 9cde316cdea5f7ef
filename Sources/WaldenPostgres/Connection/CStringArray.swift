internal import Glibc

/// An array of C strings ended by a null pointer, as libpq takes parameters; frees them with itself.
final class CStringArray {
    private let storage: [UnsafeMutablePointer<CChar>?]
    private(set) var pointers: [UnsafePointer<CChar>?]

    init(_ strings: [String?]) {
        storage = strings.map { string in string.flatMap { strdup($0) } }
        pointers = storage.map { $0.map { UnsafePointer($0) } } + [nil]
    }

    deinit {
        for string in storage { free(string) }
    }
}
