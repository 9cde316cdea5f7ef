import Testing
import WaldenCore

@testable import WaldenPostgres

@Suite struct DSNTests {
    private static let environment = ["user": "me", "port": "5432"]

    private func parse(_ text: String, _ defaults: [String: String] = environment) throws -> DSN {
        try DSN(text, defaults: defaults)
    }

    @Test(arguments: [
        ("host=db.example port=6000 user=app dbname=shop", Endpoint.tcp(host: "db.example", port: 6000)),
        ("postgresql://app@db.example:6000/shop", .tcp(host: "db.example", port: 6000)),
        ("postgres://db.example/shop", .tcp(host: "db.example", port: 5432)),
        ("postgresql://[::1]:6000/shop", .tcp(host: "::1", port: 6000)),
        ("host=/run/pg port=6000", .unix(path: "/run/pg/.s.PGSQL.6000")),
        ("postgresql://%2Frun%2Fpg/shop", .unix(path: "/run/pg/.s.PGSQL.5432")),
        ("postgresql:///shop?host=/run/pg&port=7", .unix(path: "/run/pg/.s.PGSQL.7")),
        ("dbname=shop", .unix(path: "/var/run/postgresql/.s.PGSQL.5432")),
        ("host=db.example hostaddr=10.0.0.7", .tcp(host: "10.0.0.7", port: 5432)),
        ("host=a,b,c port=1,2,3", .tcp(host: "a", port: 1)),
    ])
    func endpoint(of text: String, is endpoint: Endpoint) throws {
        #expect(try parse(text).endpoint == endpoint)
    }

    @Test func severalHostsAreTriedInOrder() throws {
        let dsn = try parse("postgresql://app@a:1,b:2,c/shop")
        #expect(dsn.endpoints == [.tcp(host: "a", port: 1), .tcp(host: "b", port: 2), .tcp(host: "c", port: 5432)])
        let shared = try parse("host=a,b port=9")
        #expect(shared.endpoints == [.tcp(host: "a", port: 9), .tcp(host: "b", port: 9)])
    }

    @Test func accessors() throws {
        let dsn = try parse("postgresql://app:secret@db/shop?sslmode=require&connect_timeout=7")
        #expect(dsn.user == "app")
        #expect(dsn.password == "secret")
        #expect(dsn.database == "shop")
        #expect(dsn.host == "db")
        #expect(dsn.sslMode == "require")
        #expect(dsn.connectTimeout == .seconds(7))
    }

    @Test func theEnvironmentFillsIn() throws {
        let dsn = try parse("", ["host": "db", "port": "6000", "user": "app", "password": "secret"])
        #expect(dsn.endpoint == .tcp(host: "db", port: 6000))
        #expect(dsn.database == "app", "the database is named like the user")
        #expect(dsn.password == "secret")
        #expect(!dsn.description.contains("secret"))
        #expect(dsn.sslMode == "prefer")
    }

    @Test(arguments: [("", 5), ("0", 5), ("-3", 5), ("1", 2), ("9", 9), ("99999", 3600), ("soon", 5)])
    func connectTimeout(_ text: String, isSeconds seconds: Int) throws {
        #expect(try parse("connect_timeout='\(text)'").connectTimeout == .seconds(seconds))
    }

    @Test func anotherDatabase() throws {
        let dsn = try parse("host=db dbname=shop").with(database: "other")
        #expect(dsn.database == "other")
        #expect(dsn.description == "host=db dbname=other")
    }
}

@Suite struct DSNSecrecyTests {
    @Test(arguments: [
        "postgresql://app:hunter2@db:6000/shop",
        "host=db port=6000 dbname=shop user=app password=hunter2",
        "host=db password='hunter2 with space' sslpassword=hunter2",
    ])
    func descriptionsHidePasswords(of text: String) throws {
        let dsn = try DSN(text, defaults: ["password": "hunter2"])
        #expect(!dsn.description.contains("hunter2"))
        #expect(!"\(dsn)".contains("hunter2"))
        #expect(!String(reflecting: dsn).contains("hunter2"))
        #expect(!"\([dsn])".contains("hunter2"))
        var dumped = ""
        dump(dsn, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(dsn.description.contains("password=***"))
    }

    @Test(arguments: [
        "host=db password=hunter2 hunter3", "host=db password=one hunter2=three", "postgresql://app:hunter2%zz@db",
        "postgresql://app:hunter2@db:port/shop", "password='hunter2", "postgresql://app@db/shop?hunter2=1",
    ])
    func errorsHideWhatMayBePasswords(of text: String) {
        let error = #expect(throws: PostgresError.self) { try DSN(text, defaults: [:]) }
        #expect(error?.kind == .invalidDSN)
        #expect(error?.description.contains("hunter") == false)
    }

    @Test func errorsNameWhatCannotBeSecret() {
        let error = #expect(throws: PostgresError.self) { try DSN("host=db sslmod=require", defaults: [:]) }
        #expect(error?.message.contains("sslmod") == true)
    }

    @Test(arguments: [
        "host=db port=0", "host=db port=65536", "host=a,b port=1,x", "service=shop", "postgresql://db:99999",
    ])
    func refused(_ text: String) {
        let error = #expect(throws: PostgresError.self) { try DSN(text, defaults: [:]) }
        #expect(error?.kind == .invalidDSN)
    }

    @Test func quotedValuesStayReadable() throws {
        let dsn = try DSN(#"host=db options='-c a=b\\ c' application_name='it\'s'"#, defaults: [:])
        #expect(dsn.description == #"host=db application_name='it\'s' options='-c a=b\\ c'"#)
        #expect(try DSN(dsn.description, defaults: [:]) == dsn)
    }
}

@Suite struct ConnectionParameterTests {
    private func parameters(_ text: String, _ options: Connection.Options) throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try DSN(text, defaults: [:]).parameters(for: options).map { ($0.key, $0.value) })
    }

    @Test func additions() throws {
        let parameters = try parameters("host=db", Connection.Options())
        #expect(parameters["application_name"] == "walden")
        #expect(parameters["keepalives"] == "1")
        #expect(parameters["client_encoding"] == "UTF8")
        #expect(parameters["replication"] == nil)
        #expect(parameters["options"] == nil)
    }

    @Test func theStringWinsWhereWaldenDoesNotDepend() throws {
        let parameters = try parameters(
            "host=db application_name=mine keepalives_idle=3 client_encoding=LATIN1", Connection.Options())
        #expect(parameters["application_name"] == "mine")
        #expect(parameters["keepalives_idle"] == "3")
        #expect(parameters["client_encoding"] == "UTF8")
    }

    @Test func settingsComeAfterTheStringsOwn() throws {
        var options = Connection.Options()
        options.isReplication = true
        options.settings = [("datestyle", "ISO, YMD"), ("path", #"a\b"#)]
        let parameters = try parameters("host=db options='-c datestyle=German'", options)
        #expect(parameters["options"] == #"-c datestyle=German -c datestyle=ISO,\ YMD -c path=a\\b"#)
        #expect(parameters["replication"] == "database")
    }
}
