"""What an application does with psycopg 3, run before and behind Walden; argv[1] is the connection string."""
import sys
import psycopg
from psycopg import sql

dsn = sys.argv[1]
with psycopg.connect(dsn) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS people (id int PRIMARY KEY, name text, born date, payload bytea)")
    connection.execute("TRUNCATE people")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO people VALUES (%s, %s, %s, %s)",
            [(n, f"name {n}", f"2000-01-{n:02d}", bytes([n])) for n in range(1, 21)],
        )

with psycopg.connect(dsn, autocommit=True) as connection:
    # Past the threshold of five runs psycopg prepares the statement on the server.
    for _ in range(20):
        row = connection.execute("SELECT name, born, payload FROM people WHERE id = %s", (7,)).fetchone()
        assert row[0] == "name 7" and row[1].day == 7 and row[2] == b"\x07", row
    for _ in range(10):
        row = connection.execute("SELECT id FROM people WHERE id = %s", (7,), binary=True).fetchone()
        assert row == (7,), row
    connection.execute("UPDATE people SET name = 'changed' WHERE id = 7")

    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int * 2", (n,)) for n in range(50)]
        assert [cursor.fetchone()[0] for cursor in cursors] == [n * 2 for n in range(50)]

    try:
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT 1 / 0")
            connection.execute("SELECT 2")
        raise AssertionError("no error")
    except psycopg.errors.DivisionByZero:
        pass

    with connection.transaction():
        connection.execute("INSERT INTO people VALUES (100, 'in doubt')")
        try:
            with connection.transaction():
                connection.execute("INSERT INTO people VALUES (100, 'again')")
        except psycopg.errors.UniqueViolation:
            pass
    assert connection.execute("SELECT name FROM people WHERE id = 100").fetchone() == ("in doubt",)

    with connection.cursor() as cursor:
        with cursor.copy("COPY people (id, name) FROM STDIN") as copy:
            for n in range(200, 300):
                copy.write_row((n, f"copied {n}"))
        with cursor.copy("COPY (SELECT id FROM people WHERE id >= 200 ORDER BY id) TO STDOUT") as copy:
            assert [int(row[0]) for row in copy.rows()] == list(range(200, 300))

    with connection.transaction():
        with connection.cursor(name="walk") as cursor:
            cursor.itersize = 7
            cursor.execute("SELECT id FROM people ORDER BY id")
            assert len(cursor.fetchall()) == 121

    notices = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    connection.execute("DO $$ BEGIN RAISE NOTICE 'heard'; END $$")
    assert notices == ["heard"], notices

    with psycopg.connect(dsn, autocommit=True) as other:
        connection.execute("LISTEN news")
        other.execute(sql.SQL("NOTIFY news, {}").format(sql.Literal("read all about it")))
        for notification in connection.notifies():
            assert notification.payload == "read all about it"
            break

print("ok")
