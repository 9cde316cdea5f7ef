import Glibc

/// The user that PostgreSQL servers run as: the server refuses to run as root, so then it is `postgres`.
struct ServerUser: Sendable {
    let uid: uid_t
    let gid: gid_t
    /// Put before a command to run it as this user; empty when that is who we are.
    let prefix: [String]

    static let current: ServerUser = {
        guard getuid() == 0, let entry = getpwnam("postgres") else {
            return ServerUser(uid: getuid(), gid: getgid(), prefix: [])
        }
        let uid = entry.pointee.pw_uid
        let gid = entry.pointee.pw_gid
        return ServerUser(
            uid: uid, gid: gid, prefix: ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--clear-groups", "--"])
    }()
}
