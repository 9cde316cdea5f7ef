"""psycopg 3 as it comes: a transaction around everything. argv: connection string, status URL."""
import sys

import psycopg
from served import served

READ = "SELECT name FROM items WHERE id = %s"

with psycopg.connect(sys.argv[1]) as connection:

    def read():
        row = connection.execute(READ, (1,)).fetchone()
        connection.commit()
        return row

    assert served("default", read, hits=1, local_answers=2) == ("one",)

    def rolled_back():
        row = connection.execute(READ, (1,)).fetchone()
        again = connection.execute(READ, (1,)).fetchone()
        connection.rollback()
        return row, again

    assert served("rollback", rolled_back, hits=2, local_answers=2) == (("one",), ("one",))

    # A write is seen by the transaction itself at once, and afterwards by everybody.
    connection.execute(READ, (1,)).fetchone()
    connection.execute("UPDATE items SET name = 'ein' WHERE id = 1")
    assert connection.execute(READ, (1,)).fetchone() == ("ein",)
    connection.rollback()
    assert connection.execute(READ, (1,)).fetchone() == ("one",)
    connection.execute("UPDATE items SET name = 'uno' WHERE id = 1")
    connection.commit()
    assert connection.execute(READ, (1,)).fetchone() == ("uno",)
    connection.rollback()
    assert served("after a write", read, hits=1, local_answers=2) == ("uno",)

    # What BEGIN says is what the transaction is, although it was sent late.
    connection.read_only = True
    assert served("read only", read, hits=1, local_answers=2) == ("uno",)
    connection.execute(READ, (1,)).fetchone()
    try:
        connection.execute("UPDATE items SET name = 'no'")
        raise AssertionError("a read-only transaction has written")
    except psycopg.errors.ReadOnlySqlTransaction:
        connection.rollback()
    connection.read_only = None
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    assert connection.execute("SHOW transaction_isolation").fetchone() == ("serializable",)
    connection.rollback()
    connection.isolation_level = None

    # Nested blocks make savepoints, which the server must know.
    with connection.transaction():
        assert connection.execute(READ, (1,)).fetchone() == ("uno",)
        try:
            with connection.transaction():
                connection.execute("INSERT INTO items VALUES (1, 'twice')")
        except psycopg.errors.UniqueViolation:
            pass
        assert connection.execute(READ, (1,)).fetchone() == ("uno",)

    with connection.pipeline():
        first = connection.execute(READ, (1,))
        second = connection.execute(READ, (2,))
        assert (first.fetchone(), second.fetchone()) == (("uno",), ("two",))
    connection.commit()

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    assert served("autocommit", lambda: connection.execute(READ, (2,)).fetchone(), 1, 0) == ("two",)
print("ok")
