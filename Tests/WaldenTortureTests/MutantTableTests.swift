import Testing
import WaldenTestKit

/// The list of mutants fits the sources and the hazards. Risk: a rule that nobody attacks any more because its text has
/// changed.
@Suite struct MutantTableTests {
    private struct Mutant {
        var name: String
        var values: [String: String] = [:]
        var finds: [String] = []
        var puts = 0
    }

    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    private static let mutants = Result { try ["visibility", "stream", "statements"].flatMap(read) }

    private static func read(_ file: String) throws -> [Mutant] {
        var mutants: [Mutant] = []
        for line in try TextFile.read("\(root)/Tests/Mutants/\(file).txt").split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                mutants.append(Mutant(name: String(line.dropFirst().dropLast())))
                continue
            }
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1].dropFirst()) : ""
            switch parts.first {
            case "find": mutants[mutants.count - 1].finds.append(value.replacing("\\n", with: "\n"))
            case "put": mutants[mutants.count - 1].puts += 1
            case let key?: mutants[mutants.count - 1].values[String(key)] = value
            case nil: break
            }
        }
        return mutants
    }

    @Test func everyTextStandsInItsFileOnce() throws {
        let mutants = try Self.mutants.get()
        #expect(mutants.count > 50)
        #expect(Set(mutants.map(\.name)).count == mutants.count)
        for mutant in mutants {
            let file = try #require(mutant.values["file"], "\(mutant.name)")
            let source = try TextFile.read("\(Self.root)/\(file)")
            #expect(!mutant.finds.isEmpty && mutant.finds.count == mutant.puts, "\(mutant.name)")
            #expect(mutant.values["test"]?.isEmpty == false, "\(mutant.name)")
            for find in mutant.finds {
                #expect(source.ranges(of: find).count == 1, "\(mutant.name): \(find)")
            }
        }
    }

    @Test func everyHazardIsAttacked() throws {
        let page = try TextFile.read("\(Self.root)/docs/internals/exactness.md")
        let table = try #require(page.components(after: "## Hazards and their rules"))
        let hazards = table.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map {
            String($0.dropFirst(2).prefix { $0 != "|" })
        }
        #expect(hazards.count > 15)
        let rows = Set(try Self.mutants.get().compactMap { $0.values["row"] })
        for hazard in hazards {
            #expect(rows.contains { hazard.hasPrefix($0) }, "no mutant attacks: \(hazard)")
        }
        for row in rows {
            #expect(hazards.contains { $0.hasPrefix(row) }, "no hazard begins with: \(row)")
        }
    }
}

extension String {
    fileprivate func components(after text: String) -> Substring? {
        firstRange(of: text).map { self[$0.upperBound...] }
    }
}
