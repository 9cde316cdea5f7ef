"""The suites: what each runs against an address, and how its outcomes are read."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import outcomes
import restore
import transactions
from world import DATABASE, Failure

HERE = pathlib.Path(__file__).parent
SUITE_SECONDS = 1800
TEST_SECONDS = 120

# Of Django's suite, what talks to the database in ways of its own; the rest repeats it through the ORM.
DJANGO = """
backends transactions transaction_hooks select_for_update queries basic bulk_create get_or_create raw_query lookup
delete update aggregation expressions db_utils introspection schema postgres_tests prefetch_related
""".split()
# Not about PostgreSQL: the sources' formatting, and the interpreter.
ASYNCPG_WITHOUT = ["test__sourcecode.py", "test__environment.py", "test_subinterpreters.py"]
# The compiler's tests send nothing, and some 8,000 combinations of options read the same catalogs.
SQLALCHEMY_WITHOUT = ["--ignore=test/dialect/postgresql/test_compiler.py", "-k", "not get_multi", "--maxfail=100000"]
JDBC = "/usr/share/java/postgresql.jar"


def kill(process):
    """Ends a process that leads a group of its own, and those that it left in the group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Run:
    """One run of one suite: where to connect, what to run it with, and where its output goes."""

    # The processes of all runs, so that `end_all` reaches those of other threads.
    live = set()
    is_over = False

    @classmethod
    def end_all(cls):
        """Ends what runs and lets nothing more be started; the runs fail, and tidy up."""
        cls.is_over = True
        for process in list(cls.live):
            kill(process)

    def __init__(self, world, tools, folder):
        self.world, self.tools, self.folder = world, tools, folder
        # Nobody asks for the password, but a test of SQLAlchemy wants one.
        self.url = f"://postgres:none@127.0.0.1:{world.port}/{DATABASE}"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("PG", "DJANGO", "PYTEST"))}
        self.environment |= {
            "PGHOST": "127.0.0.1", "PGPORT": str(world.port), "PGUSER": "postgres", "PGDATABASE": DATABASE,
            "PYTHONDONTWRITEBYTECODE": "1"}

    def source(self, name):
        return next(path for path in (self.tools / "sources").iterdir() if path.name.lower().startswith(name + "-"))

    def call(self, command, directory, seconds=SUITE_SECONDS, **more):
        """Runs it to its end, appends what it says to output.txt and returns its status."""
        path = self.folder / "output.txt"
        with open(path, "a") as output:
            process = subprocess.Popen(
                list(map(str, command)), cwd=directory, env=self.environment | more, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            self.live.add(process)
            try:
                if self.is_over:
                    raise Failure("ended")
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise Failure(f"not done after {seconds} s: {path}") from None
            finally:
                kill(process)
                process.wait()
                self.live.discard(process)

    def pytest(self, directory, *arguments, **more):
        report = self.folder / "report.xml"
        self.call(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", TEST_SECONDS,
             "--junitxml", report, "-o", "junit_family=xunit1", *arguments], directory, **more)
        if not report.exists():
            raise Failure(f"pytest made no report: {self.folder / 'output.txt'}")
        return outcomes.from_junit(report)


def copy_tests(run, name):
    """The suite beside no package of its name, so that it imports the installed one."""
    target = run.folder / "suite"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run.source(name) / "tests", target / "tests")
    return target


def asyncpg(run):
    without = [f"--ignore=tests/{name}" for name in ASYNCPG_WITHOUT]
    return run.pytest(copy_tests(run, "asyncpg"), "tests", *without)


def psycopg2(run):
    run.world.server.sql("CREATE EXTENSION hstore")
    # Empty: replication, which is tested only when asked for, at the same address.
    return run.pytest(copy_tests(run, "psycopg2"), "tests", PSYCOPG2_TESTDB=DATABASE, PSYCOPG2_TEST_REPL_DSN="")


def sqlalchemy(run, driver):
    # As its instructions ask for.
    run.world.server.sql("CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2")
    run.world.server.sql("CREATE EXTENSION hstore; CREATE EXTENSION citext")
    return run.pytest(
        run.source("sqlalchemy"), "test/dialect/postgresql", "test/dialect/test_suite.py", "--dburi",
        f"postgresql+{driver}{run.url}", *SQLALCHEMY_WITHOUT)


def django(run):
    run.world.server.sql("CREATE DATABASE other")
    told = run.folder / "outcomes.txt"
    told.unlink(missing_ok=True)
    run.call(
        [sys.executable, "runtests.py", "--settings", "django_settings", "--keepdb", "--noinput", "--parallel", "1",
         *DJANGO],
        run.source("django") / "tests", PYTHONPATH=str(HERE), OUTCOMES=str(told))
    if not told.exists():
        raise Failure(f"no test ran: {run.folder / 'output.txt'}")
    return outcomes.from_lines(told.read_text())


def jdbc(run):
    if not os.path.exists(JDBC) or shutil.which("javac") is None:
        raise Failure("libpostgresql-jdbc-java and default-jdk-headless are needed")
    if run.call(["javac", "-cp", JDBC, "-d", run.folder, HERE / "Jdbc.java"], run.folder) != 0:
        raise Failure(f"javac: {run.folder / 'output.txt'}")
    url = f"jdbc:postgresql://127.0.0.1:{run.world.port}/{DATABASE}?user=postgres"
    run.call(["java", "-Xmx256m", "-cp", f"{JDBC}:{run.folder}", "Jdbc", url], run.folder)
    return outcomes.from_lines((run.folder / "output.txt").read_text())


SUITES = {
    "pgbench": transactions.pgbench,
    "pg_dump": restore.pg_dump,
    "jdbc": jdbc,
    "psycopg2": psycopg2,
    "asyncpg": asyncpg,
    "sqlalchemy-psycopg": lambda run: sqlalchemy(run, "psycopg"),
    "sqlalchemy-psycopg2": lambda run: sqlalchemy(run, "psycopg2"),
    "sqlalchemy-asyncpg": lambda run: sqlalchemy(run, "asyncpg"),
    "django": django,
}
