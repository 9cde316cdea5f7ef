"""psycopg2 as it comes: a transaction around everything. argv: connection string, status URL."""
import sys

import psycopg2
from served import served

READ = "SELECT name FROM items WHERE id = %s"

connection = psycopg2.connect(sys.argv[1])


def read():
    with connection, connection.cursor() as cursor:
        cursor.execute(READ, (3,))
        return cursor.fetchone()


assert served("default", read, hits=1, local_answers=2) == ("three",)
with connection, connection.cursor() as cursor:
    cursor.execute(READ, (3,))
    cursor.execute("UPDATE items SET name = 'drei' WHERE id = 3")
    cursor.execute(READ, (3,))
    assert cursor.fetchone() == ("drei",)
assert served("after a write", read, hits=1, local_answers=2) == ("drei",)
connection.set_session(isolation_level="REPEATABLE READ")
with connection, connection.cursor() as cursor:
    cursor.execute("SHOW transaction_isolation")
    assert cursor.fetchone() == ("repeatable read",)
connection.close()
print("ok")
