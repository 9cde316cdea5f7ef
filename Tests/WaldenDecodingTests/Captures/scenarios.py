"""What record.py records. Each scenario: what it is about, SQL to set up, options of the stream, steps (session, SQL),
and the lines that the decoder must give. `expect` is written from the SQL, never from the decoder's output:

    transaction 2                             committed, with 2 row changes
    insert public.t ('1', 'one', null)        values in the order of columns; text in quotes, binary in x'hex'
    update public.t ('1', ~) -> ('2', toast)  old row, if known, and new; ~ was not sent, toast is an unchanged value
    delete public.t ('x' * 2100)              a long value that repeats one character
    whole public.t                            every row counts as changed
    message walden 'text'
"""

TEXT = [
    "CREATE TABLE public.t (id int PRIMARY KEY, name text, amount numeric(10,2), at timestamptz, flag bool)",
    "CREATE PUBLICATION p FOR ALL TABLES",
]
TEXT_STEPS = [
    ("a", "INSERT INTO t VALUES (1, 'one', 1.50, '2026-01-02 03:04:05.678901+00', true)"),
    ("a", "BEGIN"),
    ("a", "INSERT INTO t VALUES (2, '', null, null, false)"),
    ("a", "INSERT INTO t VALUES (3, E'Grüße \\'\\n☃', -7, 'infinity', null)"),
    ("a", "UPDATE t SET name = 'two' WHERE id = 2"),
    ("a", "UPDATE t SET id = 30 WHERE id = 3"),
    ("a", "COMMIT"),
    ("a", "DELETE FROM t WHERE id = 1"),
]
# Large in the server's memory, so that work_mem is soon full, and small in the stream, which lacks the wide column.
WIDE = [
    "CREATE TABLE public.t (id int PRIMARY KEY, filler text)",
    "ALTER TABLE t ALTER filler SET STORAGE PLAIN",
]
WIDE_PUBLICATION = "CREATE PUBLICATION p FOR TABLE t (id)"


def fill(first, last):
    return f"INSERT INTO t SELECT i, repeat('x', 7000) FROM generate_series({first}, {last}) i"


def inserted(first, last):
    return "\n".join(f"insert public.t ('{i}')" for i in range(first, last + 1))


SCENARIOS = {
    "values_text": {
        "about": "Rows of several types in text form: nulls, empty strings, a changed key, a delete by key.",
        "setup": TEXT,
        "steps": TEXT_STEPS,
        "expect": """
            transaction 1
            insert public.t ('1', 'one', '1.50', '2026-01-02 03:04:05.678901+00', 't')
            transaction 4
            insert public.t ('2', '', null, null, 'f')
            insert public.t ('3', 'Grüße \\'\\n☃', '-7.00', 'infinity', null)
            update public.t -> ('2', 'two', null, null, 'f')
            update public.t ('3', ~, ~, ~, ~) -> ('30', 'Grüße \\'\\n☃', '-7.00', 'infinity', null)
            transaction 1
            delete public.t ('1', ~, ~, ~, ~)
        """,
    },
    "values_binary": {
        "about": "The same rows in binary form.",
        "setup": TEXT,
        "options": {"binary": "true"},
        "steps": TEXT_STEPS,
        "expect": """
            transaction 1
            insert public.t (x'00000001', x'6f6e65', x'000200000000000200011388', x'0002ea5dbb1f6f35', x'01')
            transaction 4
            insert public.t (x'00000002', x'', null, null, x'00')
            insert public.t (x'00000003', x'4772c3bcc39f6520270ae29883', x'00010000400000020007', x'7fffffffffffffff', null)
            update public.t -> (x'00000002', x'74776f', null, null, x'00')
            update public.t (x'00000003', ~, ~, ~, ~) -> (x'0000001e', x'4772c3bcc39f6520270ae29883', \
x'00010000400000020007', x'7fffffffffffffff', null)
            transaction 1
            delete public.t (x'00000001', ~, ~, ~, ~)
        """,
    },
    "identity_full": {
        "about": "Old rows complete, also where the key stays.",
        "setup": [
            "CREATE TABLE public.t (id int PRIMARY KEY, name text)",
            "ALTER TABLE t REPLICA IDENTITY FULL",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "INSERT INTO t VALUES (1, 'one'), (2, null)",
        ],
        "steps": [
            ("a", "UPDATE t SET name = 'eins' WHERE id = 1"),
            ("a", "UPDATE t SET name = 'zwei' WHERE id = 2"),
            ("a", "DELETE FROM t WHERE id = 2"),
        ],
        "expect": """
            transaction 1
            update public.t ('1', 'one') -> ('1', 'eins')
            transaction 1
            update public.t ('2', null) -> ('2', 'zwei')
            transaction 1
            delete public.t ('2', 'zwei')
        """,
    },
    "identity_index": {
        "about": "Old rows by a unique index that is not the primary key.",
        "setup": [
            "CREATE TABLE public.t (id int PRIMARY KEY, code text NOT NULL UNIQUE, name text)",
            "ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "INSERT INTO t VALUES (1, 'a', 'one')",
        ],
        "steps": [
            ("a", "UPDATE t SET name = 'eins', id = 10 WHERE id = 1"),
            ("a", "UPDATE t SET code = 'b' WHERE id = 10"),
            ("a", "DELETE FROM t"),
        ],
        "expect": """
            transaction 1
            update public.t -> ('10', 'a', 'eins')
            transaction 1
            update public.t (~, 'a', ~) -> ('10', 'b', 'eins')
            transaction 1
            delete public.t (~, 'b', ~)
        """,
    },
    "identity_nothing": {
        "about": "A table without identity: inserts come, updates and deletes do not where only inserts are published.",
        "setup": [
            "CREATE TABLE public.t (id int, name text)",
            "ALTER TABLE t REPLICA IDENTITY NOTHING",
            "CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert, truncate')",
        ],
        "steps": [
            ("a", "INSERT INTO t VALUES (1, 'one')"),
            ("a", "UPDATE t SET name = 'eins'"),
            ("a", "DELETE FROM t"),
            ("a", "TRUNCATE t"),
        ],
        "expect": """
            transaction 1
            insert public.t ('1', 'one')
            transaction 0
            whole public.t
        """,
    },
    "toast": {
        "about": """TOASTed values that an update leaves alone: not repeated under the default identity, found in the
            old row under a full one. A TOASTed key comes with the old row even if it did not change.""",
        "setup": [
            "CREATE TABLE public.t (id int PRIMARY KEY, n int, big text)",
            "ALTER TABLE t ALTER big SET STORAGE EXTERNAL",
            "CREATE TABLE public.f (id int PRIMARY KEY, n int, big text)",
            "ALTER TABLE f ALTER big SET STORAGE EXTERNAL",
            "ALTER TABLE f REPLICA IDENTITY FULL",
            "CREATE TABLE public.k (big text PRIMARY KEY, n int)",
            "ALTER TABLE k ALTER big SET STORAGE EXTERNAL",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "INSERT INTO t VALUES (1, 1, repeat('t', 2100))",
            "INSERT INTO f VALUES (1, 1, repeat('f', 2100))",
            "INSERT INTO k VALUES (repeat('k', 2100), 1)",
        ],
        "steps": [
            ("a", "UPDATE t SET n = 2"),
            ("a", "UPDATE t SET big = 'small'"),
            ("a", "UPDATE f SET n = 2"),
            ("a", "UPDATE k SET n = 2"),
        ],
        "expect": """
            transaction 1
            update public.t -> ('1', '2', toast)
            transaction 1
            update public.t -> ('1', '2', 'small')
            transaction 1
            update public.f ('1', '1', 'f' * 2100) -> ('1', '2', 'f' * 2100)
            transaction 1
            update public.k ('k' * 2100, ~) -> ('k' * 2100, '2')
        """,
    },
    "truncate": {
        "about": "TRUNCATE of one table, of two through CASCADE, and of one in a transaction with rows of it.",
        "setup": [
            "CREATE TABLE public.parent (id serial PRIMARY KEY)",
            "CREATE TABLE public.child (id int PRIMARY KEY, parent int REFERENCES parent)",
            "CREATE TABLE public.other (id int PRIMARY KEY)",
            "CREATE PUBLICATION p FOR ALL TABLES",
        ],
        "steps": [
            ("a", "TRUNCATE other"),
            ("a", "TRUNCATE parent RESTART IDENTITY CASCADE"),
            ("a", "BEGIN"),
            ("a", "INSERT INTO other VALUES (1)"),
            ("a", "INSERT INTO parent VALUES (7)"),
            ("a", "TRUNCATE other"),
            ("a", "INSERT INTO other VALUES (2)"),
            ("a", "COMMIT"),
            ("a", "BEGIN"),
            ("a", "TRUNCATE other"),
            ("a", "ROLLBACK"),
        ],
        "expect": """
            transaction 0
            whole public.other
            transaction 0
            whole public.child
            whole public.parent
            transaction 3
            insert public.parent ('7')
            whole public.other
        """,
    },
    "messages": {
        "about": """Logical messages: transactional ones in order; none of an aborted transaction; non-transactional
            ones never, though they arrive, first of all and of an aborted transaction.""",
        "setup": ["CREATE TABLE public.t (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR ALL TABLES"],
        "steps": [
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'alone')"),
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (1)"),
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'first')"),
            ("a", "SELECT pg_logical_emit_message(false, 'walden', 'not transactional')"),
            ("a", "SELECT pg_logical_emit_message(true, 'other', '')"),
            ("a", "COMMIT"),
            ("a", "BEGIN"),
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'aborted')"),
            ("a", "SELECT pg_logical_emit_message(false, 'walden', 'aborted, not transactional')"),
            ("a", "ROLLBACK"),
        ],
        "expect": """
            transaction 0
            message walden 'alone'
            transaction 1
            insert public.t ('1')
            message walden 'first'
            message other ''
        """,
    },
    "partitions_leaf": {
        "about": "Partitions publish as themselves; a row that moves is a delete and an insert.",
        "setup": [
            "CREATE TABLE public.r (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
            "CREATE TABLE public.r1 PARTITION OF r FOR VALUES FROM (0) TO (100)",
            "CREATE TABLE public.r2 PARTITION OF r FOR VALUES FROM (100) TO (200)",
            "CREATE PUBLICATION p FOR ALL TABLES",
        ],
        "steps": [
            ("a", "INSERT INTO r VALUES (1, 'a'), (101, 'b')"),
            ("a", "UPDATE r SET id = 102 WHERE id = 1"),
            ("a", "TRUNCATE r"),
        ],
        "expect": """
            transaction 2
            insert public.r1 ('1', 'a')
            insert public.r2 ('101', 'b')
            transaction 2
            delete public.r1 ('1', ~)
            insert public.r2 ('102', 'a')
            transaction 0
            whole public.r1
            whole public.r2
        """,
    },
    "partitions_root": {
        "about": "Partitions publish as their root, in its column order.",
        "setup": [
            "CREATE TABLE public.r (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
            "CREATE TABLE public.r1 (v text, id int NOT NULL)",
            "ALTER TABLE r ATTACH PARTITION r1 FOR VALUES FROM (0) TO (100)",
            "CREATE TABLE public.r2 PARTITION OF r FOR VALUES FROM (100) TO (200)",
            "CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root = true)",
        ],
        "steps": [
            ("a", "INSERT INTO r VALUES (1, 'a'), (101, 'b')"),
            ("a", "UPDATE r SET id = 102 WHERE id = 1"),
            ("a", "TRUNCATE r"),
        ],
        "expect": """
            transaction 2
            insert public.r ('1', 'a')
            insert public.r ('101', 'b')
            transaction 2
            delete public.r ('1', ~)
            insert public.r ('102', 'a')
            transaction 0
            whole public.r
        """,
    },
    "types_and_columns": {
        "about": """An enum, a domain and a composite type announce themselves; generated and dropped columns are not in
            the rows.""",
        "setup": [
            "CREATE TYPE public.mood AS ENUM ('sad', 'happy')",
            "CREATE DOMAIN public.small AS int CHECK (VALUE < 10)",
            "CREATE TYPE public.pair AS (x int, y int)",
            "CREATE TABLE public.t (id int PRIMARY KEY, gone int, m mood, s small, p pair, a int[], j jsonb,"
            " twice int GENERATED ALWAYS AS (id * 2) STORED)",
            "ALTER TABLE t DROP COLUMN gone",
            "CREATE PUBLICATION p FOR ALL TABLES",
        ],
        "steps": [
            ("a", "INSERT INTO t (id, m, s, p, a, j) VALUES (1, 'happy', 9, (1, 2), '{1,null}', '{\"k\": [1]}')"),
        ],
        "expect": """
            transaction 1
            insert public.t ('1', 'happy', '9', '(1,2)', '{1,NULL}', '{"k": [1]}')
        """,
    },
    "altered": {
        "about": """A table altered between transactions and within one; an alteration that changes nothing of the
            description, after which the same description comes again; the identity changed.""",
        "setup": ["CREATE TABLE public.t (id int PRIMARY KEY, v text)", "CREATE PUBLICATION p FOR ALL TABLES"],
        "steps": [
            ("a", "INSERT INTO t VALUES (1, 'a')"),
            ("a", "ALTER TABLE t ALTER v SET STATISTICS 10"),
            ("a", "INSERT INTO t VALUES (2, 'b')"),
            ("a", "ALTER TABLE t ADD w int DEFAULT 5"),
            ("a", "INSERT INTO t VALUES (3, 'c', 6)"),
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (4, 'd', 7)"),
            ("a", "ALTER TABLE t DROP v"),
            ("a", "INSERT INTO t VALUES (5, 8)"),
            ("a", "ALTER TABLE t REPLICA IDENTITY FULL"),
            ("a", "DELETE FROM t WHERE id = 3"),
            ("a", "COMMIT"),
        ],
        "expect": """
            transaction 1
            insert public.t ('1', 'a')
            transaction 1
            insert public.t ('2', 'b')
            transaction 1
            insert public.t ('3', 'c', '6')
            transaction 3
            insert public.t ('4', 'd', '7')
            insert public.t ('5', '8')
            delete public.t ('3', '6')
        """,
    },
    "savepoints": {
        "about": "Subtransactions in a transaction that is not streamed: what aborted never comes.",
        "setup": ["CREATE TABLE public.t (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR ALL TABLES"],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (1)"),
            ("a", "SAVEPOINT s"),
            ("a", "INSERT INTO t VALUES (2)"),
            ("a", "ROLLBACK TO s"),
            ("a", "INSERT INTO t VALUES (3)"),
            ("a", "RELEASE s"),
            ("a", "COMMIT"),
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (4)"),
            ("a", "ROLLBACK"),
        ],
        "expect": """
            transaction 2
            insert public.t ('1')
            insert public.t ('3')
        """,
    },
    "empty": {
        "about": "Transactions that change nothing published: only keepalives tell of them.",
        "setup": [
            "CREATE TABLE public.t (id int PRIMARY KEY)",
            "CREATE TABLE public.unpublished (id int)",
            "CREATE PUBLICATION p FOR TABLE t",
        ],
        "steps": [
            ("a", "INSERT INTO unpublished VALUES (1)"),
            ("a", "CREATE TABLE another ()"),
            ("a", "INSERT INTO t VALUES (1)"),
            ("a", "INSERT INTO unpublished VALUES (2)"),
        ],
        "expect": "transaction 1\ninsert public.t ('1')",
    },
    "streamed_savepoints": {
        "about": """A streamed transaction with subtransactions: one aborts before its rows were streamed, one after,
            one with a child, one is released.""",
        "setup": WIDE + [WIDE_PUBLICATION],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "BEGIN"),
            ("a", fill(1, 12)),
            ("a", "SAVEPOINT kept"),
            ("a", fill(101, 112)),
            ("a", "RELEASE kept"),
            ("a", "SAVEPOINT aborted"),
            ("a", fill(201, 212)),
            ("a", "SAVEPOINT child"),
            ("a", fill(301, 312)),
            ("a", "RELEASE child"),
            ("a", fill(213, 220)),
            ("a", "ROLLBACK TO aborted"),
            ("a", "SAVEPOINT short"),
            ("a", "INSERT INTO t VALUES (401)"),
            ("a", "ROLLBACK TO short"),
            ("a", fill(501, 512)),
            ("a", "COMMIT"),
        ],
        "expect": "transaction 36\n" + inserted(1, 12) + "\n" + inserted(101, 112) + "\n" + inserted(501, 512),
    },
    "streamed_interleaved": {
        "about": """Two streamed transactions at once, chunks alternating, a plain one between, one of them rolled back
            entirely, the other committed.""",
        "setup": WIDE + [WIDE_PUBLICATION],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "BEGIN"),
            ("b", "BEGIN"),
            ("a", fill(1, 6)),
            ("b", fill(101, 106)),
            ("a", fill(7, 12)),
            ("b", fill(107, 112)),
            ("c", "INSERT INTO t VALUES (999)"),
            ("a", fill(13, 18)),
            ("b", fill(113, 118)),
            ("a", "ROLLBACK"),
            ("b", "COMMIT"),
        ],
        "expect": "transaction 1\ninsert public.t ('999')\ntransaction 18\n" + inserted(101, 118),
    },
    "streamed_altered": {
        "about": """A streamed transaction that alters its table, after a subtransaction that aborted; then another
            transaction, which sees the table as altered. (Had the aborted subtransaction altered it, the walsender of
            PostgreSQL 15.18 would end with "could not map filenode … to relation OID".)""",
        "setup": WIDE + ["CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'update, delete, truncate')"],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "INSERT INTO t VALUES (1, repeat('x', 7000)), (2, repeat('x', 7000)), (3, null)"),
            ("a", "BEGIN"),
            ("a", fill(101, 112)),
            ("a", "DELETE FROM t WHERE id = 101"),
            ("a", "SAVEPOINT s"),
            ("a", "UPDATE t SET id = 1003, filler = null WHERE id = 3"),
            ("a", fill(201, 212)),
            ("a", "ROLLBACK TO s"),
            ("a", "DELETE FROM t WHERE id = 1"),
            ("a", fill(301, 312)),
            ("a", "ALTER TABLE t ADD other int"),
            ("a", "DELETE FROM t WHERE id = 2"),
            ("a", fill(401, 412)),
            ("a", "COMMIT"),
            ("b", "UPDATE t SET filler = 'small', other = 5 WHERE id = 3"),
        ],
        "expect": """
            transaction 3
            delete public.t ('101', ~)
            delete public.t ('1', ~)
            delete public.t ('2', ~, ~)
            transaction 1
            update public.t -> ('3', 'small', '5')
        """,
    },
    "streamed_truncate": {
        "about": """TRUNCATE and messages in subtransactions of a streamed transaction, aborted after they were streamed
            and kept.""",
        "setup": WIDE + [
            "CREATE TABLE public.lost (id int)",
            "CREATE TABLE public.kept (id int)",
            "CREATE PUBLICATION p FOR TABLE t (id), lost, kept",
        ],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "BEGIN"),
            ("a", fill(1, 2)),
            ("a", "SAVEPOINT s"),
            ("a", "TRUNCATE lost"),
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'lost')"),
            ("a", fill(101, 112)),
            ("a", "ROLLBACK TO s"),
            ("a", "SAVEPOINT s2"),
            ("a", "TRUNCATE kept"),
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'kept')"),
            ("a", fill(3, 14)),
            ("a", "RELEASE s2"),
            ("a", "COMMIT"),
        ],
        "expect": "transaction 14\n" + inserted(1, 14) + "\nwhole public.kept\nmessage walden 'kept'",
    },
    "streamed_origin": {
        "about": """A streamed transaction and a plain one that were themselves replicated from elsewhere, of a table
            with an enum: Origin and Type messages within chunks.""",
        "setup": [
            "CREATE TYPE public.mood AS ENUM ('sad', 'happy')",
            "CREATE TABLE public.t (id int PRIMARY KEY, m mood, filler text)",
            "ALTER TABLE t ALTER filler SET STORAGE PLAIN",
            "CREATE PUBLICATION p FOR TABLE t (id, m)",
            "SELECT pg_replication_origin_create('elsewhere')",
        ],
        "options": {"proto_version": "2", "streaming": "true"},
        "steps": [
            ("a", "SELECT pg_replication_origin_session_setup('elsewhere')"),
            ("a", "BEGIN"),
            ("a", "SELECT pg_replication_origin_xact_setup('0/1234', now())"),
            ("a", "INSERT INTO t SELECT i, 'sad', repeat('x', 7000) FROM generate_series(1, 12) i"),
            ("a", "COMMIT"),
            ("a", "BEGIN"),
            ("a", "SELECT pg_replication_origin_xact_setup('0/1235', now())"),
            ("a", "INSERT INTO t VALUES (13, 'happy')"),
            ("a", "COMMIT"),
        ],
        "expect": "transaction 12\n"
        + "\n".join(f"insert public.t ('{i}', 'sad')" for i in range(1, 13))
        + "\ntransaction 1\ninsert public.t ('13', 'happy')",
    },
    "prepared": {
        "about": """Two-phase commit: committed, rolled back, and streamed before it was prepared. Another transaction
            commits between PREPARE and COMMIT PREPARED, which is where the change takes effect.""",
        "setup": WIDE + [WIDE_PUBLICATION],
        "options": {"proto_version": "3", "streaming": "true", "two_phase": "true"},
        "steps": [
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (1)"),
            ("a", "SELECT pg_logical_emit_message(true, 'walden', 'prepared')"),
            ("a", "PREPARE TRANSACTION 'first'"),
            ("a", "INSERT INTO t VALUES (2)"),
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (3)"),
            ("a", "PREPARE TRANSACTION 'second'"),
            ("a", "COMMIT PREPARED 'first'"),
            ("a", "ROLLBACK PREPARED 'second'"),
            ("a", "BEGIN"),
            ("a", fill(101, 112)),
            ("a", "PREPARE TRANSACTION 'streamed'"),
            ("a", "COMMIT PREPARED 'streamed'"),
            ("a", "INSERT INTO t VALUES (4)"),
        ],
        "expect": """
            transaction 1
            insert public.t ('2')
            transaction 1
            insert public.t ('1')
            message walden 'prepared'
        """ + "transaction 12\n" + inserted(101, 112) + "\ntransaction 1\ninsert public.t ('4')",
    },
    "prepared_one_phase": {
        "about": "Two-phase commit without the option: the whole comes at COMMIT PREPARED.",
        "setup": ["CREATE TABLE public.t (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR ALL TABLES"],
        "steps": [
            ("a", "BEGIN"),
            ("a", "INSERT INTO t VALUES (1)"),
            ("a", "PREPARE TRANSACTION 'g'"),
            ("a", "INSERT INTO t VALUES (2)"),
            ("a", "COMMIT PREPARED 'g'"),
        ],
        "expect": "transaction 1\ninsert public.t ('2')\ntransaction 1\ninsert public.t ('1')",
    },
}
