"""SQLAlchemy's sessions and engine, with psycopg 3. argv: connection string, status URL."""
import sys

import psycopg
from served import served
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(sys.argv[1]))


def read():
    with Session(engine) as session:
        return session.get(Item, 4).name


# The pool ends each session with ROLLBACK.
assert served("session", read, hits=1, local_answers=2) == "four"


def several():
    with engine.begin() as connection:
        return connection.execute(select(Item.name).where(Item.id.in_([4, 5])).order_by(Item.id)).scalars().all()


assert served("engine.begin()", several, hits=1, local_answers=2) == ["four", "five"]

with Session(engine) as session, session.begin():
    item = session.get(Item, 4)
    item.name = "vier"
    session.flush()
    session.expire_all()
    assert session.get(Item, 4).name == "vier"
assert served("after a write", read, hits=1, local_answers=2) == "vier"

with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
    assert connection.execute(text("SHOW transaction_isolation")).scalar() == "serializable"
    assert connection.execute(select(Item.name).where(Item.id == 4)).scalar() == "vier"
with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    assert connection.execute(select(Item.name).where(Item.id == 4)).scalar() == "vier"
print("ok")
