import WaldenTestKit

extension Worker {
    /// The ways in which a transaction is made.
    private enum Manner: CaseIterable {
        case single
        case transaction
        case oneMessage
        case oneStatement
        case savepoint
        case rollback
        case twoPhase
        case copy
        case bulk
        case truncate
    }

    func write() throws {
        // How often each: the number of its turns in 40.
        let turns: [(Manner, Int)] = [
            (.single, 12), (.transaction, 7), (.oneMessage, 4), (.oneStatement, 4), (.savepoint, 3), (.rollback, 3),
            (.twoPhase, 3), (.copy, 2), (.bulk, 1), (.truncate, 1),
        ]
        var turn = Int.random(in: 0..<40, using: &generator)
        let manner =
            turns.first { _, count in
                turn -= count
                return turn < 0
            }?.0 ?? .single
        if manner == .truncate { return try truncate() }
        let count = manner == .single || manner == .copy ? 1 : Int.random(in: 2...4, using: &generator)
        let wanted = pick(count, sameTable: manner == .oneStatement)
        guard let states = registers.claim(wanted) else { return }
        defer { registers.release(wanted) }
        switch manner {
        case .single: try single(wanted, states)
        case .transaction, .rollback, .bulk: try transaction(wanted, states, manner)
        case .oneMessage: try oneMessage(wanted, states)
        case .oneStatement: try oneStatement(wanted, states)
        case .savepoint: try savepoint(wanted, states)
        case .twoPhase: try twoPhase(wanted, states)
        case .copy: try copy(wanted, states)
        case .truncate: break
        }
    }

    /// Different rows, the hot ones more often, in a fixed order so that their locks cannot wait for one another.
    private func pick(_ count: Int, sameTable: Bool) -> [Int] {
        let table = Int.random(in: Layout.tables.indices, using: &generator)
        var rows: Set<Int> = []
        while rows.count < count {
            let isHot = Bool.random(using: &generator)
            let id = Int.random(in: 0..<(isHot ? layout.rowsPerTable / 4 : layout.rowsPerTable), using: &generator)
            let other = Int.random(in: Layout.tables.indices, using: &generator)
            rows.insert(layout.row(sameTable ? table : other, id))
        }
        return rows.sorted()
    }

    // MARK: Effects

    /// What the row becomes: most often another version in the same group, sometimes in another one, or gone.
    private func effect(on row: Int, _ state: RowState, mayDelete: Bool = true) -> Effect {
        let version = registers.nextVersion(of: row)
        let dice = Int.random(in: 0..<20, using: &generator)
        let group = Int.random(in: 0..<Layout.groupCount, using: &generator)
        switch state {
        case .absent: return Effect(row: row, version: version, state: .present(group: group))
        case .present where dice == 0 && mayDelete: return Effect(row: row, version: version, state: .absent)
        case .present where dice < 7: return Effect(row: row, version: version, state: .present(group: group))
        case .present(let own): return Effect(row: row, version: version, state: .present(group: own))
        }
    }

    private func statement(_ effect: Effect, from state: RowState) -> String {
        let (name, id) = (layout.name(of: effect.row), layout.id(of: effect.row))
        switch (state, effect.state) {
        case (.present, .present(let group)):
            return "UPDATE \(name) SET version = \(effect.version), grp = \(group) WHERE id = \(id)"
        case (_, .present(let group)):
            return "INSERT INTO \(name) (id, grp, version, pad) VALUES (\(id), \(group), \(effect.version), 'x')"
        case (_, .absent): return "DELETE FROM \(name) WHERE id = \(id)"
        }
    }

    private func effects(_ rows: [Int], _ states: [Int: RowState]) -> [(effect: Effect, sql: String)] {
        rows.map { row in
            let state = states[row] ?? .absent
            let effect = effect(on: row, state)
            return (effect, statement(effect, from: state))
        }
    }

    // MARK: Outcomes

    /// Sends what commits and records how it ended. Whoever gets an error that leaves it open finds out.
    private func commit(_ effects: [Effect], prepared: String? = nil, _ send: () throws -> Void) throws {
        let sent = record.now
        do {
            try send()
            conclude(effects, sent: sent, .committed)
        } catch let error as SQLError {
            let isOpen = error.endsSession || prepared != nil
            let isCommitted = try isOpen && outcome(of: effects, prepared: prepared)
            conclude(effects, sent: sent, isCommitted ? .committed : .aborted)
            throw error
        }
    }

    private func conclude(_ effects: [Effect], sent: Moment, _ outcome: Write.Outcome) {
        if outcome == .committed { registers.commit(effects) }
        record.writes.append(
            Write(
                session: session.number, commitSent: sent, completed: record.now, outcome: outcome, effects: effects))
    }

    /// Runs what precedes the commit: when it fails, nothing has happened.
    private func attempt(_ effects: [Effect], _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as SQLError {
            conclude(effects, sent: record.now, .aborted)
            throw error
        }
    }

    /// Whether it was committed after all: asked of the primary once the session's backend is certainly gone.
    private func outcome(of effects: [Effect], prepared: String?) throws -> Bool {
        guard let first = effects.first else { return false }
        let sql = "SELECT version FROM \(layout.name(of: first.row)) WHERE id = \(layout.id(of: first.row))"
        let backend = session.backend
        return try awaitValue("the outcome of a transaction", timeout: .seconds(90)) { () -> Bool? in
            let client = try stack.direct()
            let left = try client.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = \(backend)"
            ).rows.count
            guard left == 0 else { return nil }
            if let prepared {
                let found = try client.query("SELECT FROM pg_prepared_xacts WHERE gid = '\(prepared)'").rows.count
                if found > 0 { try client.query("ROLLBACK PREPARED '\(prepared)'") }
            }
            let version = try client.query(sql).integer
            return first.state == .absent ? version == nil : version == first.version
        }
    }

    // MARK: Manners

    private func single(_ rows: [Int], _ states: [Int: RowState]) throws {
        let all = effects(rows, states)
        try commit(all.map(\.effect)) { for one in all { try session.run(one.sql) } }
        try readBack(rows)
    }

    private func transaction(_ rows: [Int], _ states: [Int: RowState], _ manner: Manner) throws {
        let all = effects(rows, states)
        try attempt(all.map(\.effect)) {
            try session.client.query("BEGIN")
            for one in all { try session.run(one.sql) }
            // Larger than logical_decoding_work_mem, so the walsender sends it before it commits.
            if manner == .bulk { try session.run("UPDATE ballast SET pad = repeat('\(rows[0] % 10)', 300)") }
        }
        do {
            if Bool.random(using: &generator) { try readOwn(all.map(\.effect)) }
            pause(atMost: 3000)
        } catch let error as SQLError {
            conclude(all.map(\.effect), sent: record.now, .aborted)
            throw error
        }
        if manner == .rollback {
            conclude(all.map(\.effect), sent: record.now, .aborted)
            try session.client.query("ROLLBACK")
        } else {
            try commit(all.map(\.effect)) { try session.run("COMMIT") }
        }
        try readBack(rows)
    }

    /// Before the commit the session sees what it has written, and nobody else does.
    private func readOwn(_ effects: [Effect]) throws {
        guard let effect = effects.randomElement(using: &generator) else { return }
        let id = layout.id(of: effect.row)
        try read(Query(table: layout.table(of: effect.row), shape: .point(id: id)), own: effects)
    }

    /// After the commit too, in whatever state the stream is.
    private func readBack(_ rows: [Int]) throws {
        guard let row = rows.randomElement(using: &generator) else { return }
        let id = layout.id(of: row)
        let shape: Query.Shape = Bool.random(using: &generator) ? .point(id: id) : .range(block: id / Layout.blockSize)
        try read(Query(table: layout.table(of: row), shape: shape))
    }

    private func oneMessage(_ rows: [Int], _ states: [Int: RowState]) throws {
        let all = effects(rows, states)
        let sql = (["BEGIN"] + all.map(\.sql) + ["COMMIT"]).joined(separator: "; ")
        try commit(all.map(\.effect)) { try session.client.query(sql) }
        try readBack(rows)
    }

    /// One UPDATE of several rows of a table; those that are not there stay away.
    private func oneStatement(_ rows: [Int], _ states: [Int: RowState]) throws {
        var effects: [Effect] = []
        for row in rows {
            guard case .present? = states[row] else { continue }
            effects.append(effect(on: row, states[row] ?? .absent, mayDelete: false))
        }
        guard let first = effects.first else { return }
        let values = effects.map { effect -> String in
            guard case .present(let group) = effect.state else { return "" }
            return "(\(layout.id(of: effect.row)), \(effect.version), \(group))"
        }
        let name = layout.name(of: first.row)
        let sql = """
            UPDATE \(name) SET version = new.version, grp = new.grp
            FROM (VALUES \(values.joined(separator: ", "))) AS new (id, version, grp) WHERE new.id = \(name).id
            """
        try commit(effects) { try session.run(sql) }
        try readBack(rows)
    }

    /// The first row is written, the second only in a part that is rolled back, the others in one that is kept.
    private func savepoint(_ rows: [Int], _ states: [Int: RowState]) throws {
        let all = effects(rows, states)
        let undone = all[1]
        let kept = all.indices.filter { $0 != 1 }.map { all[$0] }
        conclude([undone.effect], sent: record.now, .aborted)
        try attempt(kept.map(\.effect)) {
            try session.client.query("BEGIN")
            try session.run(kept[0].sql)
            try session.client.query("SAVEPOINT one")
            try session.run(undone.sql)
            try session.client.query("ROLLBACK TO one; SAVEPOINT two")
            for one in kept.dropFirst() { try session.run(one.sql) }
            try session.client.query("RELEASE two")
        }
        try commit(kept.map(\.effect)) { try session.run("COMMIT") }
        try readBack(rows)
    }

    private func twoPhase(_ rows: [Int], _ states: [Int: RowState]) throws {
        let all = effects(rows, states)
        let name = "torture-\(session.number)-\(record.writes.count)"
        let isKept = Int.random(in: 0..<4, using: &generator) > 0
        do {
            try session.client.query("BEGIN")
            for one in all { try session.run(one.sql) }
            try session.client.query("PREPARE TRANSACTION '\(name)'")
            // Prepared, so not yet visible to anybody.
            try read(.random(layout, &generator))
        } catch let error as SQLError {
            _ = try outcome(of: all.map(\.effect), prepared: name)
            conclude(all.map(\.effect), sent: record.now, .aborted)
            throw error
        }
        pause(atMost: 3000)
        if isKept {
            try commit(all.map(\.effect), prepared: name) { try session.run("COMMIT PREPARED '\(name)'") }
        } else {
            conclude(all.map(\.effect), sent: record.now, .aborted)
            do {
                try session.client.query("ROLLBACK PREPARED '\(name)'")
            } catch let error as SQLError {
                _ = try outcome(of: all.map(\.effect), prepared: name)
                throw error
            }
        }
        try readBack(rows)
    }

    /// The row is deleted and comes back by COPY, or just comes.
    private func copy(_ rows: [Int], _ states: [Int: RowState]) throws {
        let row = rows[0]
        let state = states[row] ?? .absent
        let group = Int.random(in: 0..<Layout.groupCount, using: &generator)
        let effect = Effect(row: row, version: registers.nextVersion(of: row), state: .present(group: group))
        let (name, id) = (layout.name(of: row), layout.id(of: row))
        let copy = "COPY \(name) (id, grp, version, pad) FROM STDIN"
        let data = Array("\(id)\t\(group)\t\(effect.version)\tx\n".utf8)
        if state == .absent {
            try commit([effect]) { try session.client.copyIn(copy, data) }
        } else {
            try attempt([effect]) {
                try session.client.query("BEGIN")
                try session.run("DELETE FROM \(name) WHERE id = \(id)")
                try session.client.copyIn(copy, data)
            }
            try commit([effect]) { try session.run("COMMIT") }
        }
        try readBack(rows)
    }

    /// TRUNCATE and all rows anew, in one transaction or in two.
    private func truncate() throws {
        let table = Int.random(in: Layout.tables.indices, using: &generator)
        let rows = layout.rows(ofTable: table)
        var claimed: [Int: RowState]?
        for _ in 0..<50 where claimed == nil {
            claimed = registers.claim(rows)
            if claimed == nil { pause(atMost: 1000) }
        }
        guard let states = claimed else { return }
        defer { registers.release(rows) }
        let name = Layout.tables[table]
        if Bool.random(using: &generator) {
            let effects = reload(rows)
            try attempt(effects) {
                try session.client.query("BEGIN")
                try session.run("TRUNCATE \(name)")
                try session.client.copyIn("COPY \(name) (id, grp, version, pad) FROM STDIN", lines(effects))
            }
            return try commit(effects) { try session.run("COMMIT") }
        }
        let gone = rows.filter { states[$0] != .absent }.map {
            Effect(row: $0, version: registers.nextVersion(of: $0), state: .absent)
        }
        try commit(gone) { try session.run("TRUNCATE \(name)") }
        try read(Query(table: table, shape: .range(block: 0)))
        let effects = reload(rows)
        try commit(effects) {
            try session.client.copyIn("COPY \(name) (id, grp, version, pad) FROM STDIN", lines(effects))
        }
    }

    private func reload(_ rows: Range<Int>) -> [Effect] {
        rows.map { row in
            let group = Int.random(in: 0..<Layout.groupCount, using: &generator)
            return Effect(row: row, version: registers.nextVersion(of: row), state: .present(group: group))
        }
    }

    private func lines(_ effects: [Effect]) -> [UInt8] {
        effects.flatMap { effect -> [UInt8] in
            guard case .present(let group) = effect.state else { return [] }
            return Array("\(layout.id(of: effect.row))\t\(group)\t\(effect.version)\tx\n".utf8)
        }
    }
}
