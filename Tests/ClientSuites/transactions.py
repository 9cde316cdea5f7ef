"""pgbench in all its ways of asking; afterwards the books must balance."""
import pathlib
import re

SCRIPTS = pathlib.Path(__file__).parent / "pgbench"
SCALE, CLIENTS, TRANSACTIONS = 2, 8, 50
MODES = ["simple", "extended", "prepared"]
# Every transaction adds one amount to an account, a teller, a branch and the history.
BALANCE = """
SELECT count(DISTINCT sum) = 1 FROM (
    SELECT sum(abalance) FROM pgbench_accounts UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
    UNION ALL SELECT sum(bbalance) FROM pgbench_branches UNION ALL SELECT sum(delta) FROM pgbench_history) AS sums
"""


def pgbench(run):
    """Initialization, then each script in each mode, also with a connection for each transaction and by pipelines."""
    program = run.world.server.bin / "pgbench"
    found = {}

    def attempt(name, *arguments):
        output = run.folder / "output.txt"
        before = output.stat().st_size if output.exists() else 0
        status = run.call([program, *arguments], run.folder)
        text = output.read_text()[before:]
        done = re.search(r"actually processed: (\S+)", text)
        failed = re.search(r"failed transactions: (\d+)", text)
        figures = f"exit={status} done={done and done[1]} failed={failed and failed[1]}"
        found[name] = f"{'passed' if status == 0 else 'failed'}\t{figures}"

    def load(transactions=TRANSACTIONS):
        return ["--client", CLIENTS, "--jobs", 2, "--transactions", transactions, "--no-vacuum"]

    attempt("initialize", "--initialize", "--scale", SCALE, "--init-steps", "dtgvpf", "--quiet")
    for mode in MODES:
        # Not simple-update: it leaves tellers and branches out, and so unbalances the books.
        for script in ("tpcb-like", "select-only"):
            attempt(f"{mode} {script}", *load(), "--protocol", mode, "--builtin", script)
        attempt(f"{mode} connections", *load(5), "--connect", "--protocol", mode)
        attempt(f"{mode} checked", *load(), "--scale", SCALE, "--protocol", mode, "--file", SCRIPTS / "checked.sql")
    for mode in MODES[1:]:
        for script in ("pipeline", "pipelined-reads"):
            attempt(
                f"{mode} {script}", *load(), "--scale", SCALE, "--protocol", mode, "--file", SCRIPTS / f"{script}.sql")
    balanced = run.world.server.sql(BALANCE)
    found["balance"] = f"{'passed' if balanced == 't' else 'failed'}\tbalanced={balanced}"
    return found
