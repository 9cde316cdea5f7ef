import Testing
import WaldenCore
import WaldenDecoding

/// Transactions streamed while they run, as transcripts.
@Suite struct StreamedTests {
    private func check(_ script: String, version: Int = 2, limits: StreamLimits = StreamLimits()) throws {
        var stream = StreamScript(version: version, limits: limits)
        #expect(try stream.run(script) == script)
    }

    @Test func chunksOfTwoTransactionsAlternate() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id*
            5: insert 1 51
            stop
            start 6 first
            6: relation 1 t id*
            6: insert 1 61
            stop
            # A plain transaction between chunks is told of the relation by itself.
            begin 7 @100
            relation 1 t id*
            insert 1 71
            commit @100 110
            > transaction 7 @100..110 of 1
            > insert public.t ('71')
            start 5
            5: insert 1 52
            stop
            keepalive 115
            > keepalive 115
            start 6
            6: insert 1 62
            stop
            streamcommit 6 @120 130
            > transaction 6 @120..130 of 2
            > insert public.t ('61')
            > insert public.t ('62')
            streamcommit 5 @140 150
            > transaction 5 @140..150 of 2
            > insert public.t ('51')
            > insert public.t ('52')
            """)
    }

    @Test func abortedSubtransactionsLeaveExactlyTheRest() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id*
            5: insert 1 1
            6: insert 1 2
            7: insert 1 3
            6: insert 1 4
            5: insert 1 5
            stop
            abort 5 6
            start 5
            5: relation 1 t id*
            8: insert 1 6
            7: insert 1 7
            stop
            # Of which nothing was streamed, or nothing is left.
            abort 5 99
            abort 5 6
            abort 5 8
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 4
            > insert public.t ('1')
            > insert public.t ('3')
            > insert public.t ('5')
            > insert public.t ('7')
            """)
    }

    @Test func anAbortOfTheWholeLeavesNothing() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id*
            5: insert 1 1
            stop
            abort 5 5
            streamcommit 5 @120 130
            > error streamed transaction 5 has no beginning
            """)
    }

    @Test func anAbortOfAnUnknownTransactionIsNoMatter() throws {
        try check(
            """
            abort 5 5
            abort 5 6
            begin 7 @100
            message walden x
            commit @100 110
            > transaction 7 @100..110 of 0
            > message walden 'x'
            """)
    }

    @Test func versionFourSaysWhereTheAbortWas() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id*
            5: insert 1 1
            6: insert 1 2
            stop
            abort 5 6 @110
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 1
            > insert public.t ('1')
            """, version: 4)
    }

    @Test func truncationsAndMessagesAbortToo() throws {
        try check(
            """
            start 5 first
            5: relation 1 a id*
            5: relation 2 b id*
            5: insert 1 1
            6: truncate 1
            6: message walden lost
            6: nontransactional walden ignored
            7: truncate 2 3
            7: message walden kept
            5: message walden last
            7: insert 2 1
            stop
            abort 5 6
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 2
            > insert public.a ('1')
            > whole public.b
            > whole relation 3
            > message walden 'kept'
            > message walden 'last'
            """)
    }

    @Test func aTruncationOfTheTopLevelStays() throws {
        try check(
            """
            start 5 first
            5: relation 1 a id*
            6: insert 1 1
            5: truncate 1
            6: insert 1 2
            stop
            abort 5 6
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 2
            > whole public.a
            """)
    }

    @Test func aTransactionOfWhichNothingIsLeftIsProgress() throws {
        try check(
            """
            start 5 first
            6: type 70 mood
            6: relation 1 t id*
            6: insert 1 1
            stop
            abort 5 6
            streamcommit 5 @120 130
            > progress 130
            """)
    }

    /// The table is altered within: others see it as it was, until the commit.
    @Test func relationsDescribedWithinCountWithin() throws {
        try check(
            """
            begin 4 @100
            relation 1 t id*
            insert 1 1
            commit @100 110
            > transaction 4 @100..110 of 1
            > insert public.t ('1')
            start 5 first
            5: relation 1 t id* added
            5: insert 1 2 x
            stop
            begin 6 @120
            insert 1 3
            commit @120 130
            > transaction 6 @120..130 of 1
            > insert public.t ('3')
            start 5
            5: insert 1 4 y
            stop
            streamcommit 5 @140 150
            > transaction 5 @140..150 of 2
            > insert public.t ('2', 'x')
            > insert public.t ('4', 'y')
            begin 7 @160
            insert 1 5 z
            commit @160 170
            > transaction 7 @160..170 of 1
            > insert public.t ('5', 'z')
            """)
    }

    @Test func relationsOfAnAbortedTransactionAreForgotten() throws {
        try check(
            """
            begin 4 @100
            relation 1 t id*
            message walden x
            commit @100 110
            > transaction 4 @100..110 of 0
            > message walden 'x'
            start 5 first
            5: relation 1 t id* added
            5: insert 1 2 x
            stop
            abort 5 5
            begin 6 @120
            insert 1 3
            commit @120 130
            > transaction 6 @120..130 of 1
            > insert public.t ('3')
            """)
    }

    /// Described anew for all after it was described within: the later word counts.
    @Test func aLaterDescriptionForAllOutlivesTheCommit() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id* old
            5: insert 1 1 x
            stop
            begin 6 @100
            relation 1 t id*
            insert 1 2
            commit @100 110
            > transaction 6 @100..110 of 1
            > insert public.t ('2')
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 1
            > insert public.t ('1', 'x')
            begin 7 @140
            insert 1 3
            commit @140 150
            > transaction 7 @140..150 of 1
            > insert public.t ('3')
            """)
    }

    @Test func theNumberOfOpenTransactionsIsBounded() throws {
        try check(
            """
            start 5 first
            stop
            start 6 first
            stop
            abort 5 5
            start 7 first
            stop
            start 8 first
            > error limit exceeded: streamedTransactions
            """, limits: StreamLimits(maxStreamedTransactions: 2))
    }

    @Test func abortsAreCounted() throws {
        var stream = StreamScript()
        _ = try stream.run("start 5 first\nstop\nabort 5 6\nabort 5 5\nabort 9 9")
        #expect(stream.decoder.counters.aborts == 2)
    }
}

/// Transactions handed over at PREPARE TRANSACTION, as transcripts.
@Suite struct PreparedTests {
    private func check(_ script: String, limits: StreamLimits = StreamLimits()) throws {
        var stream = StreamScript(version: 3, limits: limits)
        #expect(try stream.run(script) == script)
    }

    @Test func takesEffectAtItsCommit() throws {
        try check(
            """
            beginprepare 5 g @100 110
            relation 1 t id*
            insert 1 1
            message walden x
            prepare 5 g @100 110
            > progress 110
            begin 6 @120
            insert 1 2
            commit @120 130
            > transaction 6 @120..130 of 1
            > insert public.t ('2')
            commitprepared 5 g @140 150
            > transaction 5 @140..150 of 1
            > insert public.t ('1')
            > message walden 'x'
            """)
    }

    @Test func aRollbackLeavesNothing() throws {
        try check(
            """
            beginprepare 5 g @100 110
            relation 1 t id*
            insert 1 1
            prepare 5 g @100 110
            > progress 110
            rollbackprepared 5 g @110 140
            > progress 140
            commitprepared 5 g @150 160
            > error prepared transaction 5 has no beginning
            """)
    }

    @Test func aRollbackOfAnUnknownTransactionIsProgress() throws {
        try check("rollbackprepared 5 g @110 140\n> progress 140\nrollbackprepared 6 h @1 130")
    }

    @Test func theSameNameServesAgain() throws {
        try check(
            """
            beginprepare 5 g @100 110
            relation 1 t id*
            insert 1 1
            prepare 5 g @100 110
            > progress 110
            commitprepared 5 g @120 130
            > transaction 5 @120..130 of 1
            > insert public.t ('1')
            beginprepare 6 g @140 150
            insert 1 2
            prepare 6 g @140 150
            > progress 150
            commitprepared 6 g @160 170
            > transaction 6 @160..170 of 1
            > insert public.t ('2')
            """)
    }

    /// A transaction prepared before the stream began is sent when it commits, behind later ones.
    @Test func sentLate() throws {
        try check(
            """
            keepalive 500
            > keepalive 500
            beginprepare 5 g @100 110
            relation 1 t id*
            insert 1 1
            prepare 5 g @100 110
            commitprepared 5 g @510 520
            > transaction 5 @510..520 of 1
            > insert public.t ('1')
            """)
    }

    @Test func streamedBeforeItWasPrepared() throws {
        try check(
            """
            start 5 first
            5: relation 1 t id*
            5: insert 1 1
            6: insert 1 2
            stop
            abort 5 6
            streamprepare 5 g @100 110
            > progress 110
            commitprepared 5 g @120 130
            > transaction 5 @120..130 of 1
            > insert public.t ('1')
            """)
    }

    @Test func theNumberPreparedIsBounded() throws {
        try check(
            """
            beginprepare 5 a @100 110
            prepare 5 a @100 110
            > progress 110
            beginprepare 6 b @120 130
            prepare 6 b @120 130
            > progress 130
            commitprepared 5 a @140 150
            > progress 150
            beginprepare 7 c @160 170
            prepare 7 c @160 170
            > progress 170
            beginprepare 8 d @180 190
            prepare 8 d @180 190
            > error limit exceeded: preparedTransactions
            """, limits: StreamLimits(maxPreparedTransactions: 2))
    }
}
