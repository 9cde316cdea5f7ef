"""asyncpg's transactions and pool. argv: connection string, status URL."""
import asyncio
import sys

import asyncpg
from psycopg.conninfo import conninfo_to_dict
from served import served

READ = "SELECT name FROM items WHERE id = $1"


def main():
    given = conninfo_to_dict(sys.argv[1])
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(
        asyncpg.connect(
            host=given["host"], port=int(given["port"]), user=given["user"], database=given["dbname"], ssl=False
        )
    )

    async def names():
        # fetchval() and fetchrow() limit the rows of their portal, which is never served from memory.
        return [row["name"] for row in await connection.fetch(READ, 8)]

    async def read():
        async with connection.transaction():
            return await names()

    async def write():
        async with connection.transaction():
            assert await names() == ["eight"]
            await connection.execute("UPDATE items SET name = 'acht' WHERE id = 8")
            assert await names() == ["acht"]

    assert served("transaction()", lambda: loop.run_until_complete(read()), 1, 2) == ["eight"]
    loop.run_until_complete(write())
    assert served("after a write", lambda: loop.run_until_complete(read()), 1, 2) == ["acht"]
    loop.run_until_complete(connection.close())
    print("ok")


main()
