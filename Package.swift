// swift-tools-version: 6.2
import PackageDescription

// Every first-party target is compiled alike: Swift 6 mode, explicit existentials and imports, and no warning survives.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let strictC: [CSetting] = [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// Pure modules read no clock and do no input or output: events go in, values come out (docs/architecture.md).
func pure(
    _ name: String, _ dependencies: [Target.Dependency] = [], testData: [String] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        tests(name, dependencies, data: testData),
    ]
}

/// Tests read their data through the path of the source file, so it is no resource of the bundle.
func tests(_ name: String, _ dependencies: [Target.Dependency], data: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name)] + dependencies,
        exclude: data,
        swiftSettings: strict
    )
}

func shell(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], leavingOut files: [String] = []
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: files, resources: resources, swiftSettings: strict)
}

/// A C program of the benchmark.
func benchmark(_ name: String, _ folder: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["CBenchmark"],
        path: "Benchmarks/\(folder)",
        cSettings: strictC,
        linkerSettings: [.linkedLibrary("m")]
    )
}

let package = Package(
    name: "walden",
    products: [
        .executable(name: "walden", targets: ["walden"]),
        // For scripts/fuzz.sh alone, which links it with libFuzzer.
        .library(name: "WaldenFuzzing", type: .static, targets: ["WaldenFuzzing"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.30.0"),
    ],
    targets: pure("WaldenCore")
        + pure("WaldenWire", ["WaldenCore"])
        + pure("WaldenDecoding", ["WaldenCore"], testData: ["Captures"])
        + pure("WaldenDependency", ["WaldenCore"])
        + pure("WaldenCache", ["WaldenCore", "WaldenDependency", deque])
        + pure("WaldenRouting", ["WaldenCore", deque])
        + pure("WaldenFailover", ["WaldenCore"])
        + pure("WaldenRejoin")
        + pure("WaldenPool", ["WaldenCore", "WaldenWire", deque])
        + pure("WaldenConsole", ["WaldenCore", "WaldenWire"])
        + pure("WaldenSession", ["WaldenCore", "WaldenWire", "WaldenDependency", deque])
        + pure("WaldenAuth", ["CCrypto", "CIDN", "WaldenCore", "WaldenWire"])
        + [
            .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
            .systemLibrary(name: "CPgQuery", providers: [.apt(["libpg-query-dev"])]),
            .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
            .systemLibrary(name: "CIDN", pkgConfig: "libidn", providers: [.apt(["libidn-dev"])]),
            .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),

            shell("WaldenSQLParser", ["CPgQuery", "WaldenCore", "WaldenDependency"]),
            shell(
                "WaldenPostgres",
                ["CLibPQ", "WaldenCore", "WaldenDecoding", "WaldenDependency"],
                resources: [.embedInCode("Resources/install.sql"), .embedInCode("Resources/uninstall.sql")],
                leavingOut: ["Resources/agent.sql", "Resources/sentinel.sql"]
            ),
            shell(
                "WaldenProxy",
                [
                    "CCrypto", "CLZ4", "WaldenAuth", "WaldenCore", "WaldenWire", "WaldenPool", "WaldenSession",
                    "WaldenCache", "WaldenDependency", "WaldenConsole", "WaldenRouting", logging,
                    .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
                ] + nio
            ),
            shell(
                "WaldenAdmin",
                [
                    "WaldenCore", logging, lifecycle, .product(name: "Hummingbird", package: "hummingbird"),
                    .product(name: "HummingbirdCore", package: "hummingbird"),
                ] + nio
            ),
            shell(
                "WaldenRuntime",
                [
                    "WaldenCore", "WaldenWire", "WaldenDecoding", "WaldenDependency", "WaldenCache", "WaldenRouting",
                    "WaldenPool", "WaldenSession", "WaldenConsole", "WaldenSQLParser", "WaldenPostgres", "WaldenProxy",
                    "WaldenAdmin", "WaldenAgent", "WaldenAgentClient", "WaldenFailover", "WaldenHooks", "WaldenRejoin",
                    "WaldenSentinel",
                    "WaldenAuth", logging, lifecycle, .product(name: "Yams", package: "Yams"),
                    .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                ] + nio
            ),
            shell(
                "WaldenFuzzing", ["WaldenCore", "WaldenWire", "WaldenDependency", "WaldenSession", "WaldenAuth"]),
            tests("WaldenFuzzing", []),
            shell("WaldenSentinel", ["WaldenCore", "WaldenFailover", "WaldenPostgres", logging]),
            shell("WaldenCommands", ["WaldenCore"]),
            shell(
                "WaldenAgent",
                [
                    "WaldenCore", "WaldenRejoin", "WaldenCommands", "WaldenPostgres", logging, lifecycle,
                    .product(name: "Hummingbird", package: "hummingbird"),
                    .product(name: "HummingbirdCore", package: "hummingbird"),
                    .product(name: "HummingbirdTLS", package: "hummingbird"),
                    .product(name: "NIOSSL", package: "swift-nio-ssl"),
                ] + nio
            ),
            shell(
                "WaldenAgentClient",
                [
                    "WaldenRejoin", httpClient, .product(name: "NIOHTTP1", package: "swift-nio"),
                    .product(name: "NIOSSL", package: "swift-nio-ssl"),
                ] + nio
            ),
            shell(
                "WaldenHooks",
                [
                    "WaldenCore", "WaldenFailover", "WaldenCommands", "WaldenPostgres", logging, httpClient,
                    .product(name: "NIOHTTP1", package: "swift-nio"),
                ] + nio
            ),
            tests("WaldenAgent", []),
            tests(
                "WaldenHooks",
                [
                    "WaldenCore", "WaldenFailover", "WaldenTestKit", logging,
                    .product(name: "NIOHTTP1", package: "swift-nio"),
                ] + nio
            ),
            shell("WaldenTestKit", ["CLibPQ"]),
            .executableTarget(
                name: "walden-demo",
                dependencies: ["WaldenTestKit"],
                path: "Sources/WaldenDemo",
                swiftSettings: strict
            ),
            .target(
                name: "WaldenFailoverSimulation", dependencies: ["WaldenCore", "WaldenFailover"], swiftSettings: strict),
            .executableTarget(
                name: "walden-simulate", dependencies: ["WaldenFailoverSimulation"], swiftSettings: strict),
            tests("WaldenFailoverSimulation", ["WaldenCore", "WaldenFailover", "WaldenTestKit"]),
            .target(name: "WaldenTorture", dependencies: ["WaldenTestKit"], swiftSettings: strict),
            .executableTarget(
                name: "walden-torture", dependencies: ["WaldenTorture"], swiftSettings: strict),
            tests("WaldenTorture", ["WaldenTestKit"]),
            .target(name: "WaldenConformance", dependencies: ["WaldenTestKit"], swiftSettings: strict),
            .executableTarget(
                name: "walden-conformance", dependencies: ["WaldenConformance"], swiftSettings: strict),
            tests("WaldenConformance", ["WaldenTestKit"]),
            .executableTarget(
                name: "walden-soundness",
                dependencies: [
                    "CLibPQ", "WaldenCore", "WaldenDependency", "WaldenCache", "WaldenSQLParser", "WaldenPostgres",
                    "WaldenTestKit",
                ],
                path: "Sources/WaldenSoundness",
                swiftSettings: strict
            ),
            .testTarget(
                name: "WaldenSoundnessTests",
                dependencies: ["walden-soundness", "WaldenCore", "WaldenDependency", "WaldenCache"],
                swiftSettings: strict
            ),
            tests("WaldenTestKit", []),
            tests("WaldenPostgres", ["WaldenCore", "WaldenDependency"]),
            tests("WaldenSentinel", ["WaldenCore", "WaldenFailover", "WaldenTestKit"]),
            tests("WaldenProxy", ["WaldenCore"]),
            tests("WaldenSQLParser", ["WaldenCore", "WaldenDependency"]),
            tests("WaldenAdmin", ["WaldenCore", logging, lifecycle] + nio),
            tests(
                "WaldenRuntime",
                [
                    "WaldenCore", "WaldenAuth", "WaldenCache", "WaldenAdmin", "WaldenConsole", "WaldenDependency",
                    "WaldenFailover", "WaldenPostgres", "WaldenProxy", "WaldenRouting", "WaldenSentinel", logging,
                ] + nio
            ),
            .testTarget(
                name: "IntegrationTests",
                dependencies: [
                    "WaldenTestKit", "WaldenTorture", "WaldenConformance", "WaldenCore", "WaldenFailover",
                    "WaldenAdmin", "WaldenPostgres", "WaldenRuntime", "WaldenSentinel", "WaldenRejoin",
                    "WaldenAgentClient", logging,
                ],
                exclude: ["Scripts"],
                swiftSettings: strict
            ),
            .executableTarget(
                name: "walden",
                dependencies: [
                    "WaldenRuntime", "WaldenCore",
                    .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ],
                swiftSettings: strict
            ),

            .target(name: "CBenchmark", path: "Benchmarks/Common", cSettings: strictC),
            benchmark("walden-bench-floor", "Floor"),
            benchmark("walden-bench-relay", "Relay"),
            benchmark("walden-bench-load", "Load"),
            .executableTarget(
                name: "walden-bench",
                dependencies: [
                    "CBenchmark", "WaldenTestKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ],
                path: "Benchmarks/Driver",
                swiftSettings: strict
            ),
        ]
)
