"""What became of each test of a run, and where two runs differ."""
import fnmatch
import pathlib
import xml.etree.ElementTree


def from_junit(path):
    """Test → outcome, from the report that pytest writes. Of a test reported twice the worse counts."""
    outcomes = {}
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        outcome = next((c.tag for c in case if c.tag in ("failure", "error", "skipped")), "passed")
        name = f"{case.get('classname')}::{case.get('name')}"
        if outcomes.get(name) not in ("failure", "error"):
            outcomes[name] = {"failure": "failed", "error": "failed"}.get(outcome, outcome)
    return outcomes


def from_lines(text):
    """Test → outcome, from lines `name TAB passed|failed|skipped [TAB result]`; the result belongs to the outcome."""
    outcomes = {}
    for line in text.splitlines():
        name, separator, outcome = line.partition("\t")
        if separator and outcome.split("\t")[0] in ("passed", "failed", "skipped"):
            outcomes[name] = outcome
    return outcomes


class Accepted:
    """The differences that are known and have a reason: lines `suite mode test reason`, with `*` as in file names."""

    def __init__(self, path):
        self.entries = []
        for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 3)
            if len(words) < 4:
                raise ValueError(f"{path}:{number}: suite, mode, test and reason are needed")
            self.entries.append(words)

    def reason(self, suite, mode, test):
        for of_suite, of_mode, pattern, reason in self.entries:
            if all(map(fnmatch.fnmatchcase, (suite, mode, test), (of_suite, of_mode, pattern))):
                return reason
        return None


def differences(direct, walden):
    """Tests whose outcome is another one, in order, with both outcomes."""
    names = sorted(direct.keys() | walden.keys())
    pairs = ((name, direct.get(name, "absent"), walden.get(name, "absent")) for name in names)
    return [(name, one, other) for name, one, other in pairs if one != other]


def count(outcomes, word):
    return sum(outcome.split("\t")[0] == word for outcome in outcomes.values())
