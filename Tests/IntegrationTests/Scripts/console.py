"""The console by psycopg, in text and binary, and by asyncpg, which reads everything in binary. argv: connection string."""
import asyncio
import sys
from decimal import Decimal

import asyncpg
import psycopg
from psycopg.conninfo import conninfo_to_dict


def by_psycopg(dsn):
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        connection.execute("SET application_name = 'test'")
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                cursor.execute("SHOW TOTALS")
                totals = dict(cursor.fetchall())
                assert isinstance(totals["total_query_count"], Decimal), totals
                cursor.execute("SHOW CLIENTS", prepare=True)
                names = [column.name for column in cursor.description]
                clients = [dict(zip(names, row)) for row in cursor.fetchall()]
                assert any(client["database"] == "walden" for client in clients), clients
        try:
            connection.execute("SELECT * FROM pg_class")
        except psycopg.errors.FeatureNotSupported:
            connection.rollback()
        else:
            raise AssertionError("SQL was executed")
    with psycopg.connect(dsn, autocommit=True) as connection:
        assert connection.execute("FLUSH").statusmessage == "FLUSH"
        with connection.pipeline():
            cursors = [connection.execute("SHOW VERSION") for _ in range(3)]
        assert all(cursor.fetchone()[0].startswith("Walden ") for cursor in cursors)


async def by_asyncpg(given):
    connection = await asyncpg.connect(
        host=given["host"], port=int(given["port"]), user=given["user"], database=given["dbname"], ssl=False
    )
    version = await connection.fetchval("SHOW VERSION")
    assert version.startswith("Walden "), version
    replicas = await connection.fetch("SHOW REPLICAS")
    assert replicas[0]["name"] == "primary" and replicas[0]["reachable"] is True, replicas
    for view in ("STATS", "TOTALS", "LAG", "LAG HISTORY", "SHAPES", "MEM", "POOLS", "CONFIG", "HELP"):
        await connection.fetch("SHOW " + view)
    async with connection.transaction():
        assert await connection.fetchval("SELECT 1") == 1
    try:
        await connection.execute("KILL_CLIENT 0")
    except asyncpg.UndefinedObjectError:
        pass
    else:
        raise AssertionError("a client was killed that is not there")
    await connection.close()


by_psycopg(sys.argv[1])
asyncio.run(by_asyncpg(conninfo_to_dict(sys.argv[1])))
print("ok")
