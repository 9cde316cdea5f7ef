"""Runs the suites of real clients directly against PostgreSQL and through Walden, and compares test by test.

Takes the interpreter of the environment that scripts/client-suites.sh makes. One line a suite and mode; what differs is
named above it and, unless accepted.txt has a reason, makes the exit status 1. Outputs stay in .build/client-suites.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import signal
import sys
import time

import outcomes
from suites import SUITES, Run
from world import MODES, Failure, Template, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".build/client-suites"
# One cause may fail thousands of tests: no more lines than these are printed of a run, the rest is in its folder.
SHOWN = 40
ACCEPTED = pathlib.Path(__file__).with_name("accepted.txt")


def program():
    """The program under test: WALDEN_BINARY, else what `make build` or `make release` made last."""
    named = os.environ.get("WALDEN_BINARY")
    found = [pathlib.Path(named)] if named else sorted(
        (path for path in (ROOT / ".build/debug/walden", ROOT / ".build/release/walden") if path.exists()),
        key=lambda path: path.stat().st_mtime)
    if not found or not found[-1].exists():
        raise Failure("no program: `make build`, or name one in WALDEN_BINARY")
    return str(found[-1].resolve())


def run_suite(template, binary, suite, mode):
    """Outcomes by test, and seconds. A Walden that ended by itself is a failed test, too."""
    folder = TOOLS / "results" / f"{suite}-{mode}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = World(template, mode, binary, folder / "walden.log")
    try:
        started = time.monotonic()
        found = SUITES[suite](Run(world, TOOLS, folder))
        # Two runs that cannot work agree, too.
        if mode == "direct" and outcomes.count(found, "passed") <= len(found) / 2:
            raise Failure(f"most tests do not pass at PostgreSQL: {folder}")
        found["walden runs"] = "passed" if world.is_whole() else "failed"
        return found, time.monotonic() - started
    finally:
        world.end()


def compare(suite, mode, direct, walden, accepted, seconds):
    """Prints the suite's line and what differs; how many differences nobody has accepted."""
    open_ones, only_walden, only_direct, known, lines = 0, 0, 0, 0, []
    for test, at_server, through_walden in outcomes.differences(direct, walden):
        reason = accepted.reason(suite, mode, test)
        known += reason is not None
        open_ones += reason is None
        if reason is None:
            only_walden += not through_walden.startswith(("passed", "skipped"))
            only_direct += not at_server.startswith(("passed", "skipped"))
        lines.append(
            f"  {suite} {mode} {test}: direct {at_server!r}, walden {through_walden!r}; "
            + (f"accepted: {reason}" if reason else "DIFFERS"))
    path = TOOLS / "results" / f"{suite}-{mode}" / "differences.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    print(*lines[:SHOWN], sep="\n", end="\n" if lines else "")
    if len(lines) > SHOWN:
        print(f"  … and {len(lines) - SHOWN} more: {path}")
    print(
        f"suite={suite} mode={mode} passed={outcomes.count(walden, 'passed')}"
        f" skipped={outcomes.count(walden, 'skipped')}"
        f" failed_direct={outcomes.count(direct, 'failed')} failed_walden={outcomes.count(walden, 'failed')}"
        f" only_walden={only_walden} only_direct={only_direct} accepted={known} differences={open_ones}"
        f" seconds={seconds:.0f}", flush=True)
    return open_ones


def report(suite, modes, runs, accepted):
    """Prints what became of a suite, as its runs end; how many differences are open, and how many runs said nothing."""
    differences, failures, direct = 0, 0, None
    for mode in ["direct", *modes]:
        try:
            found, seconds = runs[mode].result()
        except Failure as failure:
            print(f"suite={suite} mode={mode} could not run: {failure}", flush=True)
            failures += 1
            continue
        if mode == "direct":
            direct = found
            print(
                f"suite={suite} mode=direct passed={outcomes.count(found, 'passed')}"
                f" skipped={outcomes.count(found, 'skipped')} failed={outcomes.count(found, 'failed')}"
                f" seconds={seconds:.0f}", flush=True)
        elif direct is not None:
            differences += compare(suite, mode, direct, found, accepted, seconds)
    return differences, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", action="append", choices=list(SUITES), help="only these")
    parser.add_argument("--mode", action="append", choices=list(MODES), help="only these")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, each on a cluster of its own")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    accepted = outcomes.Accepted(ACCEPTED)
    suites, modes = arguments.suite or list(SUITES), arguments.mode or list(MODES)
    binary, differences, failures, started = program(), 0, 0, time.monotonic()
    template = Template(binary)
    try:
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            runs = {
                (suite, mode): pool.submit(run_suite, template, binary, suite, mode)
                for suite in suites for mode in ["direct", *modes]}
            try:
                for suite in suites:
                    of_suite = {mode: runs[suite, mode] for mode in ["direct", *modes]}
                    some, unable = report(suite, modes, of_suite, accepted)
                    differences += some
                    failures += unable
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                Run.end_all()
                raise
    finally:
        template.remove()
    print(
        f"client-suites: suites={len(suites)} modes={','.join(modes)} could_not_run={failures}"
        f" seconds={time.monotonic() - started:.0f} differences={differences}")
    return 1 if differences or failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"client-suites: {failure}", file=sys.stderr)
        sys.exit(1)
