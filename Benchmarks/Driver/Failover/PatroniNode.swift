import Glibc
import WaldenTestKit

/// One server and the Patroni that manages it.
final class PatroniNode {
    static let scope = "bench"

    let name: String
    let port: Int
    /// Of its own HTTP interface.
    let apiPort: Int
    let configuration: String
    let log: String
    private let folder: String
    private var manager: ChildProcess?

    init(_ name: String, in scratch: Scratch, storePort: Int) throws {
        self.name = name
        port = try Ports.free()
        apiPort = try Ports.free()
        folder = try scratch.directory(name)
        log = "\(folder)/patroni.log"
        configuration = try scratch.write(
            "\(name)/patroni.yml",
            Self.settings(name, port: port, in: folder, storePort: storePort, apiPort: apiPort))
    }

    func start() throws {
        var command = Command(["patroni", configuration], in: folder)
        command.asServerUser = true
        command.output = log
        manager = try ChildProcess(command)
    }

    func postmaster() throws -> Int32 {
        let line = try TextFile.read("\(folder)/data/postmaster.pid").split(separator: "\n").first
        guard let pid = line.flatMap({ Int32($0) }) else { throw TestKitError("\(name) has no postmaster.pid") }
        return pid
    }

    /// To every process of PostgreSQL.
    func signalServer(_ number: Int32) throws {
        let postmaster = try postmaster()
        let children = ProcessTable.children(of: postmaster)
        for pid in [postmaster] + children { kill(pid, number) }
    }

    func signalManager(_ number: Int32) {
        manager?.signal(number)
    }

    private static func settings(
        _ name: String, port: Int, in folder: String, storePort: Int, apiPort: Int
    ) throws -> String {
        """
        scope: \(scope)
        name: \(name)
        restapi:
          listen: 127.0.0.1:\(apiPort)
          connect_address: 127.0.0.1:\(apiPort)
        etcd3:
          hosts: 127.0.0.1:\(storePort)
        bootstrap:
          dcs:
            ttl: 20
            loop_wait: 1
            retry_timeout: 3
            primary_start_timeout: 0
            synchronous_mode: true
            synchronous_node_count: 1
            postgresql:
              use_pg_rewind: false
              parameters:
                wal_level: logical
                max_connections: 200
                max_wal_senders: 20
                max_replication_slots: 20
          initdb:
            - encoding: UTF8
            - locale: C.UTF-8
            - no-sync
        postgresql:
          listen: 127.0.0.1:\(port)
          connect_address: 127.0.0.1:\(port)
          data_dir: \(folder)/data
          bin_dir: \(try PostgresInstallation.current.get().binaries)
          pgpass: \(folder)/pgpass
          authentication:
            superuser:
              username: postgres
            replication:
              username: postgres
          basebackup:
            - checkpoint: fast
          pg_hba:
            - local all all trust
            - host all all 127.0.0.1/32 trust
            - host replication all 127.0.0.1/32 trust
          parameters:
            unix_socket_directories: \(folder)
            shared_buffers: 32MB
            wal_keep_size: 128MB
            fsync: 'off'
            full_page_writes: 'off'
            dynamic_shared_memory_type: mmap
        """
    }
}
