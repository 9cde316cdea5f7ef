#!/usr/bin/env python3
"""Records what a real walsender sends, as fixtures for the decoder's tests.

    setpriv --reuid=postgres --regid=postgres --clear-groups python3 record.py [scenario ...]

Needs PostgreSQL 15 (its bin directory in PGBIN, default /usr/lib/postgresql/15/bin) and libpq; must not run as root,
as PostgreSQL refuses to. It starts a private cluster in a temporary directory, listening on a Unix socket there only,
runs each scenario of scenarios.py in a database of its own, and writes <scenario>.txt beside itself (or to the
directory OUT), with these lines:

    # a remark
    v 2                     the protocol version asked for
    @ 16390 public.t        the OID of a relation
    77000000…               one frame, the payload of a CopyData message, in hexadecimal
    = insert public.t …     the next line of what the decoder must make of it, written by hand in scenarios.py

A recording ends with the first keepalive past everything that the scenario wrote. Positions, times and identifiers
differ from run to run; nothing in the expected lines depends on them.
"""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from scenarios import SCENARIOS

PGBIN = os.environ.get("PGBIN", "/usr/lib/postgresql/15/bin")
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.environ.get("OUT", HERE)
PORT = "54329"
SETTINGS = {
    "listen_addresses": "", "port": PORT, "wal_level": "logical", "fsync": "off", "logical_decoding_work_mem": "64kB",
    "max_prepared_transactions": "8", "wal_sender_timeout": "0", "autovacuum": "off", "checkpoint_timeout": "1h",
    "bgwriter_delay": "10s", "timezone": "UTC",
}

pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQexec", "PQerrorMessage", "PQgetvalue"):
    getattr(pq, name).restype = ctypes.c_void_p
pq.PQerrorMessage.restype = ctypes.c_char_p
pq.PQgetvalue.restype = ctypes.c_char_p
COMMAND_OK, TUPLES_OK, COPY_BOTH = 1, 2, 8


class Connection:
    """One libpq connection, used synchronously."""

    def __init__(self, conninfo):
        self.raw = ctypes.c_void_p(pq.PQconnectdb(conninfo.encode()))
        if pq.PQstatus(self.raw) != 0:
            raise RuntimeError(pq.PQerrorMessage(self.raw).decode())

    def run(self, sql):
        """Runs one statement; returns its rows as text."""
        result = ctypes.c_void_p(pq.PQexec(self.raw, sql.encode()))
        status = pq.PQresultStatus(result)
        if status not in (COMMAND_OK, TUPLES_OK, COPY_BOTH):
            raise RuntimeError(f"{sql}: {pq.PQerrorMessage(self.raw).decode()}")
        rows = [
            [pq.PQgetvalue(result, row, column).decode() for column in range(pq.PQnfields(result))]
            for row in range(pq.PQntuples(result))
        ]
        pq.PQclear(result)
        return rows

    def receive(self):
        """The payload of the next CopyData message."""
        buffer = ctypes.c_void_p()
        size = pq.PQgetCopyData(self.raw, ctypes.byref(buffer), 0)
        if size < 0:
            raise RuntimeError(pq.PQerrorMessage(self.raw).decode())
        payload = ctypes.string_at(buffer, size)
        pq.PQfreemem(buffer)
        return payload

    def send(self, payload):
        if pq.PQputCopyData(self.raw, payload, len(payload)) != 1 or pq.PQflush(self.raw) != 0:
            raise RuntimeError(pq.PQerrorMessage(self.raw).decode())

    def close(self):
        pq.PQfinish(self.raw)


def number(lsn):
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


class Cluster:
    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="record")
        data = os.path.join(self.directory, "data")
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run(
            [f"{PGBIN}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N"],
            check=True, **quiet)
        with open(os.path.join(data, "postgresql.conf"), "a") as conf:
            for key, value in SETTINGS.items():
                conf.write(f"{key} = '{value}'\n")
            conf.write(f"unix_socket_directories = '{self.directory}'\n")
        log = open(os.path.join(self.directory, "log"), "w")
        self.server = subprocess.Popen(
            [f"{PGBIN}/postgres", "-D", data], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while subprocess.run([f"{PGBIN}/pg_isready", "-h", self.directory, "-p", PORT], **quiet).returncode != 0:
            if self.server.poll() is not None:
                raise RuntimeError(open(log.name).read())
        return self

    def __exit__(self, failure, *_):
        if failure:
            sys.stderr.write(open(os.path.join(self.directory, "log")).read())
        # A fast shutdown; the polite one waits for the connections that a failure left open.
        self.server.send_signal(signal.SIGINT)
        self.server.wait()
        shutil.rmtree(self.directory)

    def connect(self, database, extra=""):
        return Connection(f"host={self.directory} port={PORT} dbname={database} user=postgres {extra}")


def record(cluster, name, scenario):
    admin = cluster.connect("postgres")
    admin.run(f'CREATE DATABASE "{name}"')
    sessions = {"a": cluster.connect(name)}
    for sql in scenario["setup"]:
        sessions["a"].run(sql)

    options = {"proto_version": "1", "publication_names": "p", "messages": "true", **scenario.get("options", {})}
    walsender = cluster.connect(name, "replication=database")
    two_phase = " TWO_PHASE" if options.get("two_phase") else ""
    walsender.run(f"CREATE_REPLICATION_SLOT {name} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT{two_phase}")
    arguments = ", ".join(f"{key} '{value}'" for key, value in options.items() if key != "two_phase")
    walsender.run(f"START_REPLICATION SLOT {name} LOGICAL 0/0 ({arguments})")

    for session, sql in scenario["steps"]:
        if session not in sessions:
            sessions[session] = cluster.connect(name)
        sessions[session].run(sql)

    end = number(sessions["a"].run("SELECT pg_current_wal_insert_lsn()")[0][0])
    # Nothing says that the last record is flushed; a commit after it does.
    sessions["a"].run("CREATE TABLE public.flushes_the_log ()")
    walsender.send(struct.pack(">cQQQqB", b"r", 0, 0, 0, 0, 1))
    frames = []
    while True:
        frame = walsender.receive()
        reached = struct.unpack(">Q", frame[1:9])[0]
        if frame[:1] == b"k":
            if reached >= end:
                frames.append(frame)
                break
            walsender.send(struct.pack(">cQQQqB", b"r", 0, 0, 0, 0, 1))
        # Keepalives come as they will; two of a kind tell no more than one.
        if not (frame[:1] == b"k" and frames and frames[-1][:1] == b"k"):
            frames.append(frame)

    relations = sessions["a"].run(
        "SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND relname <> 'flushes_the_log' ORDER BY 1")
    for connection in (walsender, *sessions.values()):
        connection.close()
    admin.close()

    with open(os.path.join(OUT, f"{name}.txt"), "w") as out:
        for line in scenario["about"].strip().splitlines():
            out.write(f"# {line.strip()}\n")
        out.write(f"v {options['proto_version']}\n")
        out.writelines(f"@ {oid} {relation}\n" for oid, relation in relations)
        out.writelines(frame.hex() + "\n" for frame in frames)
        out.writelines(f"= {line.strip()}\n" for line in scenario["expect"].strip().splitlines())
    print(f"{name}: {len(frames)} frames, {sum(map(len, frames))} bytes")


def main():
    chosen = sys.argv[1:] or list(SCENARIOS)
    with Cluster() as cluster:
        for name in chosen:
            record(cluster, name, SCENARIOS[name])


if __name__ == "__main__":
    main()
