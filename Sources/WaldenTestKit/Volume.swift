import Glibc

/// A file system of its own over a directory, to be filled or frozen. It ends with the scratch directory it lies in.
public final class Volume: Sendable {
    public enum Kind: Sendable {
        /// In memory, of so many megabytes: it can be full.
        case small(megabytes: Int)
        /// In a file: it can be frozen, so that writes wait.
        case freezable(megabytes: Int)
    }

    public let path: String

    /// Why no file system can be mounted here; nil: it can.
    public static let obstacle: String? = {
        do {
            let scratch = try Scratch()
            defer { scratch.end() }
            let volume = try Volume(.freezable(megabytes: 8), over: scratch.directory("volume"), in: scratch)
            try volume.freeze()
            try volume.thaw()
            return nil
        } catch {
            return "\(error)"
        }
    }()

    /// Mounts over `directory`, which keeps its content.
    init(_ kind: Kind, over directory: String, in scratch: Scratch) throws {
        path = directory
        let script =
            switch kind {
            case .small: #"mount -t tmpfs -o size="$size"m,mode=0700 walden "$dir""#
            case .freezable:
                #"truncate -s "$size"m "$image" && mkfs.ext4 -q "$image" && mount -o loop "$image" "$dir""#
            }
        let size =
            switch kind {
            case .small(let megabytes), .freezable(let megabytes): megabytes
            }
        try ProcessRunner.check([
            "sh", "-ec",
            """
            dir=$1 size=$2 image=$3 owner=$(stat -c %u:%g "$1")
            cp -a "$dir" "$image.content"
            \(script)
            cp -a "$image.content/." "$dir/"
            rm -rf "$image.content"
            chown "$owner" "$dir"
            chmod 700 "$dir"
            """, "sh", directory, String(size), "\(scratch.path)/volume.image",
        ])
    }

    /// Takes all the room that is left.
    public func fill() throws {
        _ = try ProcessRunner.run(["dd", "if=/dev/zero", "of=\(path)/ballast", "bs=64k"])
    }

    /// Whoever writes waits.
    public func freeze() throws {
        try ProcessRunner.check(["fsfreeze", "--freeze", path])
    }

    public func thaw() throws {
        try ProcessRunner.check(["fsfreeze", "--unfreeze", path])
    }
}
