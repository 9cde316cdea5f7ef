"""What the driver tests share: whether a piece of work was served from memory, as Walden's own figures tell."""
import json
import sys
import time
import urllib.request

STATUS = sys.argv[2]
DEADLINE_SECONDS = 30


def figures():
    with urllib.request.urlopen(STATUS) as answer:
        status = json.load(answer)
    return status["hits"], status["proxy"]["bytes_from_servers"], status["proxy"]["local_answers"]


def served(name, work, hits, local_answers):
    """Repeats `work` until a run of it had so many hits and answers of Walden's own and not a byte from the server."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        before = figures()
        result = work()
        change = tuple(after - earlier for earlier, after in zip(before, figures()))
        if change == (hits, 0, local_answers):
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{name}: (hits, bytes, local answers) {change}, not {(hits, 0, local_answers)}")
        time.sleep(0.01)
