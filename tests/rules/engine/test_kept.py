"""What a warm start reads: rules one by one, tables as they were, numbers once; and it loads no more than it needs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import load, logsource
from rules.engine.cache import Cache
from rules.engine.distinct import distinct, either
from rules.engine.documents import Documents
from tests.rules.engine import rulebook

UNNEEDED = (
    "yaml",
    "sigma.rule",
    "duckdb",
    "httpx",
    "jinja2",
    "elasticsearch",
    "hinomi.config",
    "pyarrow.compute",
)
OTHER = "11111111-2222-4333-8444-555555555556"
NUMBERS = st.lists(st.integers(-5, 5) | st.integers(-(2**40), 2**40))


@given(NUMBERS, NUMBERS)
def test_distinct_numbers(some: list[int], others: list[int]) -> None:
    """Each number once, in order: as Python's own sets say."""
    one, other = np.array(some, np.int64), np.array(others, np.int64)
    assert distinct(one).tolist() == sorted(set(some))
    assert either(one, other).tolist() == sorted({*some, *others})


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(0, 9), max_size=3), max_size=5))
def test_documents_as_lines(said: list[dict[str, object]]) -> None:
    """Whatever is in the documents (line ends, too) comes back from their lines, in any order of asking."""
    made = Documents(said)
    read = Documents.of_lines(made.lines()) if said else Documents()
    assert len(read) == len(said)
    assert [read[number] for number in reversed(range(len(said)))] == said[::-1]
    read.append({"a": 1})
    assert [*read] == [*said, {"a": 1}]
    assert [*Documents.of_lines(read.lines())] == [*said, {"a": 1}]


def test_tables_are_kept(tmp_path: Path) -> None:
    """What the cache gives back is what the files say; a damaged file is read anew and counted; a changed table is another."""
    store = Cache(tmp_path)
    assert logsource.read(store=store) == logsource.read() == logsource.read(store=store)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    assert logsource.read(store=store) == logsource.read()
    assert store.distrusted == {("tables", "damaged"): 1}


def test_unsupported_rules_after_a_warm_start(tmp_path: Path) -> None:
    """Which rules cannot run, and why, is known from the cache as it was without."""
    slow = {"sel": {"f|re": "(a+)+(?=b)"}, "condition": "sel"}
    rulebook.rules(
        tmp_path / "rules",
        rulebook.rule(slow),
        rulebook.rule({"s": {"f": "one"}, "condition": "s"}, id=OTHER),
    )
    cold = load([tmp_path / "rules"], cache=tmp_path / "cache")
    warm = load([tmp_path / "rules"], cache=tmp_path / "cache")
    assert warm.size == 2 and warm.rules == cold.rules
    assert [rule.unsupported for rule in warm.unsupported] == [rule.unsupported for rule in cold.unsupported]
    assert len(warm.unsupported) == 1


def test_a_hunt_imports_little() -> None:
    """A process that hunts loads no YAML, no pySigma, no models of the configuration, no database, no web."""
    code = "import sys, ops.commands.hunt, ops.hunt.reading, rules.in_force; print(*sys.modules)"
    assert not set(UNNEEDED) & _loaded(code)


def test_the_rules_commands_import_no_tower() -> None:
    """A check, a test or a lint of rules opens no data folder: it loads neither the configuration nor stores nor responders."""
    loaded = _loaded("import sys, ops.commands.rules, rules.content; print(*sys.modules)")
    assert not {"ops.settings", "ops.service", "ops.stores", "responders.desk", "duckdb"} & loaded


def _loaded(code: str) -> set[str]:
    """The modules that a new process names which runs this code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
