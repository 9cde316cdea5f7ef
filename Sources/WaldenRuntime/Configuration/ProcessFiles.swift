import Glibc

/// Where this process finds its user's files.
enum ProcessFiles {
    static var home: String? {
        guard let home = getenv("HOME"), home.pointee != 0 else { return nil }
        return String(cString: home)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
