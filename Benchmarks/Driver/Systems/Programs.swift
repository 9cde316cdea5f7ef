import WaldenTestKit

extension System {
    /// The C responder: what a hit costs at the least.
    static func floor(_ bench: Workbench) throws -> System {
        let port = try Ports.free()
        let started = try bench.start([Workbench.program("walden-bench-floor"), String(port)], log: "floor.log")
        return try System("floor", port: port, started: started, server: nil)
    }

    /// The C relay: what a pass-through costs at the least.
    static func relay(_ bench: Workbench) throws -> System {
        let port = try Ports.free()
        let started = try bench.start(
            [Workbench.program("walden-bench-relay"), String(port), String(bench.cluster.primary.port)],
            log: "relay.log")
        return try System("relay", port: port, started: started, server: try bench.postmaster())
    }

    enum PoolMode: String {
        case transaction, session
    }

    /// PgBouncer 1.18 carries prepared statements in session pooling only.
    static func pgbouncer(
        _ bench: Workbench, _ mode: PoolMode, links: Int = 80, clients: Int = 500
    ) throws -> System {
        let port = try Ports.free()
        let name = mode == .transaction ? "pgbouncer" : "pgbouncer-session"
        let configuration = try bench.scratch.write(
            "\(name)-\(port).ini",
            """
            [databases]
            postgres = host=127.0.0.1 port=\(bench.cluster.primary.port) dbname=postgres user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = \(mode.rawValue)
            default_pool_size = \(links)
            max_client_conn = \(clients)
            log_connections = 0
            log_disconnections = 0
            """)
        let started = try bench.start(["pgbouncer", configuration], log: "\(name)-\(port).log", asServerUser: true)
        return try System(name, port: port, started: started, server: try bench.postmaster())
    }

    /// Pgpool-II with its query cache in shared memory, large enough for all that is asked, invalidated as it ships.
    static func pgpool(_ bench: Workbench) throws -> System {
        let port = try Ports.free()
        let folder = try bench.scratch.directory("pgpool")
        _ = try bench.scratch.directory("pgpool/oid")
        let configuration = try bench.scratch.write(
            "pgpool.conf",
            """
            listen_addresses = '127.0.0.1'
            port = \(port)
            socket_dir = '\(folder)'
            pcp_port = \(try Ports.free())
            pcp_listen_addresses = '127.0.0.1'
            pcp_socket_dir = '\(folder)'
            wd_ipc_socket_dir = '\(folder)'
            pid_file_name = '\(folder)/pgpool.pid'
            logdir = '\(folder)'
            backend_clustering_mode = 'raw'
            backend_hostname0 = '127.0.0.1'
            backend_port0 = \(bench.cluster.primary.port)
            backend_flag0 = 'DISALLOW_TO_FAILOVER'
            num_init_children = 80
            max_pool = 1
            pool_passwd = ''
            load_balance_mode = off
            failover_on_backend_error = off
            memory_cache_enabled = on
            memqcache_method = 'shmem'
            memqcache_total_size = 512MB
            memqcache_max_num_cache = 1000000
            memqcache_maxcache = 2MB
            memqcache_cache_block_size = 4MB
            memqcache_oiddir = '\(folder)/oid'
            check_temp_table = none
            check_unlogged_table = off
            """)
        let empty = try bench.scratch.write("pgpool-empty.conf", "")
        let started = try bench.start(
            ["pgpool", "-n", "-f", configuration, "-F", empty, "-a", empty], log: "pgpool/log", asServerUser: true)
        return try System("pgpool", port: port, started: started, server: try bench.postmaster())
    }
}

extension Workbench {
    struct Started {
        let process: ChildProcess
        /// The path of its output.
        let log: String
    }

    fileprivate func start(_ arguments: [String], log name: String, asServerUser: Bool = false) throws -> Started {
        var command = Command(arguments, in: scratch.path)
        command.output = "\(scratch.path)/\(name)"
        command.asServerUser = asServerUser
        return Started(process: try ChildProcess(command), log: command.output)
    }
}
