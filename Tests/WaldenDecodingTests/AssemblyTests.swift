import Testing
import WaldenCore
import WaldenDecoding

/// Transactions handed over at their commit, as transcripts. A script must equal its own run.
@Suite struct AssemblyTests {
    private func check(_ script: String, version: Int = 4, prefix: String? = nil) throws {
        var stream = StreamScript(version: version, messagePrefix: prefix)
        #expect(try stream.run(script) == script)
    }

    @Test func rowsOfOneTransaction() throws {
        try check(
            """
            begin 5 @100
            relation 1 t id* v
            insert 1 7 a
            update 1 new 7 b
            update 1 key 7 ~ new 8 null
            delete 1 key 8 ~
            commit @100 120
            > transaction 5 @100..120 of 4
            > insert public.t ('7', 'a')
            > update public.t -> ('7', 'b')
            > update public.t ('7', ~) -> ('8', null)
            > delete public.t ('8', ~)
            """)
    }

    @Test func oldRowsOfAFullIdentity() throws {
        try check(
            """
            begin 5 @100
            relation 1 t full id* v*
            update 1 old 7 null new 7 b
            delete 1 old 7 b
            commit @100 120
            > transaction 5 @100..120 of 2
            > update public.t ('7', null) -> ('7', 'b')
            > delete public.t ('7', 'b')
            """)
    }

    @Test func unchangedToastIsTakenFromTheOldRow() throws {
        try check(
            """
            begin 5 @100
            relation 1 plain id* v w
            relation 2 full full id* v* w*
            relation 3 key id* v w
            # Nothing to take it from.
            update 1 new 7 toast b
            # The old row has one of them.
            update 2 old 7 x'big' null new 7 toast toast
            # A TOASTed key comes with the old row.
            update 3 key big ~ ~ new toast toast c
            commit @100 120
            > transaction 5 @100..120 of 3
            > update public.plain -> ('7', toast, 'b')
            > update public.full ('7', x'626967', null) -> ('7', x'626967', toast)
            > update public.key ('big', ~, ~) -> ('big', toast, 'c')
            """)
    }

    @Test func keyOnlyRowsOfACompositeKey() throws {
        try check(
            """
            begin 5 @100
            relation 1 t index v a* w b*
            delete 1 key ~ x ~ y
            # A null in the key is a null.
            delete 1 key ~ x ~ null
            commit @100 120
            > transaction 5 @100..120 of 2
            > delete public.t (~, 'x', ~, 'y')
            > delete public.t (~, 'x', ~, null)
            """)
    }

    @Test func truncationTakesTheRowsAlong() throws {
        try check(
            """
            begin 5 @100
            relation 1 a id*
            relation 2 b id*
            insert 1 1
            insert 2 1
            truncate 1 3
            insert 1 2
            truncate 1
            commit @100 120
            > transaction 5 @100..120 of 3
            > insert public.b ('1')
            > whole public.a
            > whole relation 3
            """)
    }

    @Test func transactionsWithoutChangesAreProgress() throws {
        try check(
            """
            begin 5 @100
            commit @100 120
            > progress 120
            begin 6 @120
            origin elsewhere
            type 77 mood
            relation 1 t id*
            commit @120 130
            > progress 130
            keepalive 130 reply
            > keepalive 130 reply
            keepalive 200
            > keepalive 200
            """)
    }

    @Test func messagesComeInOrder() throws {
        try check(
            """
            begin 5 @100
            relation 1 t id*
            message walden ddl
            insert 1 1
            message other x
            commit @100 120
            > transaction 5 @100..120 of 1
            > insert public.t ('1')
            > message walden 'ddl'
            > message other 'x'
            """)
    }

    @Test func onlyWantedMessagesAreKept() throws {
        let script = """
            begin 5 @100
            message walden ddl
            message walden2 x
            message walde x
            message Walden x
            commit @100 120
            > transaction 5 @100..120 of 0
            > message walden 'ddl'
            begin 6 @130
            message other x
            commit @130 140
            > progress 140
            """
        var stream = StreamScript(messagePrefix: "walden")
        #expect(try stream.run(script) == script)
        #expect(stream.decoder.counters.ignoredMessages == 4)
    }

    /// They come before the transaction that wrote them, and also when it aborts.
    @Test func nonTransactionalMessagesAreIgnored() throws {
        let script = """
            nontransactional walden early
            begin 5 @100
            nontransactional walden within
            commit @100 120
            > progress 120
            """
        var stream = StreamScript()
        #expect(try stream.run(script) == script)
        #expect(stream.decoder.counters.ignoredMessages == 2)
    }

    @Test func anAlteredRelationCountsFromThereOn() throws {
        try check(
            """
            begin 5 @100
            relation 1 t id*
            insert 1 1
            relation 1 t id* added
            insert 1 2 x
            commit @100 120
            > transaction 5 @100..120 of 2
            > insert public.t ('1')
            > insert public.t ('2', 'x')
            begin 6 @130
            insert 1 3 y
            commit @130 140
            > transaction 6 @130..140 of 1
            > insert public.t ('3', 'y')
            """)
    }

    /// A keepalive may come between any two frames. It never passes the commit of the transaction under way.
    @Test func keepalivesWithinATransaction() throws {
        try check(
            """
            keepalive 90
            > keepalive 90
            begin 5 @100
            keepalive 95
            > keepalive 95
            relation 1 t id*
            keepalive 5000
            > keepalive 100
            insert 1 1
            commit @100 120
            > transaction 5 @100..120 of 1
            > insert public.t ('1')
            # It never goes back either.
            keepalive 110
            > keepalive 120
            """)
    }

    @Test func thePositionIsWhatWasHandedOver() throws {
        var stream = StreamScript()
        #expect(stream.decoder.position == .zero)
        _ = try stream.run("begin 5 @100\nrelation 1 t id*\ninsert 1 1")
        #expect(stream.decoder.position == .zero)
        _ = try stream.run("commit @100 120")
        #expect(stream.decoder.position == LSN(120))
        _ = try stream.run("keepalive 300")
        #expect(stream.decoder.position == LSN(300))
        #expect(stream.decoder.receivedLSN == LSN(1))
    }
}
