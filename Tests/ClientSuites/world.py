"""A PostgreSQL cluster of its own, and Walden before it, for one run of one suite; nothing of both is left behind."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

MODES = {
    "relay": [],
    "pooled": ["--auth-method", "trust", "--pool-mode", "auto"],
}
# What the tests of some suites name themselves.
DATABASE = "postgres"
ATTEMPTS = 5
START_SECONDS = 60

# Durability is of no use to a cluster that is thrown away.
SERVER_SETTINGS = """
listen_addresses = '127.0.0.1'
wal_level = logical
max_connections = 200
max_prepared_transactions = 20
fsync = off
full_page_writes = off
shared_buffers = 64MB
dynamic_shared_memory_type = mmap
lc_messages = 'C'
timezone = 'UTC'
"""
AUTHENTICATION = """
local all all trust
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""

class Failure(Exception):
    """Something around the suites failed, so that nothing can be said of them."""


def programs():
    """The folder of PostgreSQL's programs: the newest version that Debian has installed, or the one of PATH."""
    found = sorted(
        (p for p in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()),
        key=lambda p: int(p.parent.name))
    if found:
        return found[-1]
    initdb = shutil.which("initdb")
    if initdb is None:
        raise Failure("no initdb in /usr/lib/postgresql/*/bin or PATH")
    return pathlib.Path(initdb).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_true(what, condition, seconds=START_SECONDS):
    """Asks until it holds, with a pause between two attempts, and fails after a bound."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Server:
    """PostgreSQL in `data`, as the system's user `postgres` when we are root, for it refuses that one."""

    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.port = None
        self.bin = programs()

    def command(self, program, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"] + command
        return command

    def run(self, program, *arguments):
        done = subprocess.run(
            self.command(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=self.data.parent)
        if done.returncode != 0:
            raise Failure(f"{program}: {done.stdout[-2000:]}")

    def start(self):
        """Starts on a port that is free; somebody may take it in between, then on another one."""
        log = self.data.parent / "server.log"
        for attempt in range(1, ATTEMPTS + 1):
            self.port = free_port()
            try:
                return self.run(
                    "pg_ctl", "start", "-w", "-t", START_SECONDS, "-D", self.data, "-l", log, "-o",
                    f"-p {self.port} -k {self.data.parent}")
            except Failure:
                if attempt == ATTEMPTS or "Address already in use" not in log.read_text():
                    raise

    def stop(self):
        if (self.data / "postmaster.pid").exists():
            subprocess.run(
                self.command("pg_ctl", "stop", "-m", "immediate", "-w", "-D", self.data), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, cwd=self.data.parent)

    def sql(self, text, database=DATABASE):
        done = subprocess.run(
            [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", "postgres", "-d", database, "-c", text],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr}")
        return done.stdout.strip()


class Template:
    """A prepared cluster that each run copies, so that all begin alike: also the run without Walden has its objects."""

    def __init__(self, binary):
        self.folder = private_folder()
        server = Server(self.folder / "data")
        try:
            server.run(
                "initdb", "-D", server.data, "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
            with open(server.data / "postgresql.conf", "a") as file:
                file.write(SERVER_SETTINGS)
            (server.data / "pg_hba.conf").write_text(AUTHENTICATION)
            server.start()
            done = subprocess.run([binary, "init", dsn(server.port)], capture_output=True, text=True)
            if done.returncode != 0:
                raise Failure(f"walden init: {done.stdout}{done.stderr}")
            server.run("pg_ctl", "stop", "-m", "fast", "-w", "-D", server.data)
        except BaseException:
            server.stop()
            self.remove()
            raise

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def private_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="walden-clients-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    return folder


def dsn(port):
    return f"host=127.0.0.1 port={port} dbname={DATABASE} user=postgres"


class World:
    """A copy of the template, running, and `port`, where clients connect: Walden's, or when `direct` the server's."""

    def __init__(self, template, mode, binary, log):
        self.walden = None
        self.folder = private_folder()
        self.server = Server(self.folder / "data")
        try:
            subprocess.run(["cp", "-a", template.folder / "data", self.server.data], check=True)
            self.server.start()
            self.port = self.server.port
            if mode != "direct":
                self.port = self.start_walden(binary, MODES[mode], log)
        except BaseException:
            self.end()
            raise

    def start_walden(self, binary, flags, log):
        """Starts it on free ports, as often as somebody takes one in between, and waits until it caches."""
        for attempt in range(1, ATTEMPTS + 1):
            port, admin = free_port(), free_port()
            with open(log, "w") as output:
                self.walden = subprocess.Popen(
                    [binary, "run", "--primary", dsn(self.server.port), "--listen", f"127.0.0.1:{port}", "--admin",
                     f"127.0.0.1:{admin}", *flags], stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                await_true("walden caches", lambda: self.caches(admin))
                return port
            except Failure as failure:
                text = pathlib.Path(log).read_text()
                if attempt == ATTEMPTS or self.is_whole() or "ddress already in use" not in text:
                    raise Failure(f"{failure}; its log: {text[-2000:]}") from None

    def caches(self, admin):
        if not self.is_whole():
            raise Failure(f"walden ended with {self.walden.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=5) as answer:
                return b"caching: on" in answer.read()
        except OSError:
            return False

    def is_whole(self):
        """Whether Walden still runs: a crash is a difference by itself."""
        return self.walden is None or self.walden.poll() is None

    def end(self):
        if self.walden is not None and self.walden.poll() is None:
            self.walden.send_signal(signal.SIGKILL)
            self.walden.wait()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
