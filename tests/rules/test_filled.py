"""What sources fill is worked out once, and anew when anything that decides it changes."""

import subprocess
import sys
from pathlib import Path

import pytest

from collectors import catalogue, emitted
from rules import content
from rules.engine.cache import Cache
from rules.filled import Filled
from tests.rules.engine import rulebook

PROXY = rulebook.rule(
    {"sel": {"cs-method": "GET"}, "condition": "sel"},
    logsource={"category": "proxy"},
    id="11111111-2222-4333-8444-555555555555",
)


@pytest.fixture(autouse=True)
def shipped_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests of this process took in as a city's own does not count here."""
    monkeypatch.setattr(catalogue, "own", [])


def test_a_second_check_reads_no_source(tmp_path: Path) -> None:
    """It says the same, in a process that loads no source at all."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    rulebook.rules(folder, PROXY)
    [first] = content.check([folder], cache).rules
    assert "netskope.events" in first.unmapped
    code = (
        "import sys; from pathlib import Path; from rules import content\n"
        f"[fed] = content.check([Path({str(folder)!r})], Path({str(cache)!r})).rules\n"
        "print(fed.line())\n"
        "print([name for name in sys.modules if name.startswith('collectors.sources.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [first.line(), "[]"]


def test_kept_columns_are_those_worked_out(tmp_path: Path) -> None:
    """Of sources of every kind, and of a dataset that is none."""
    names = ["windows.eventlog", "squid.access", "generic.cef", "nobody.knows"]
    filled = Filled.of(Cache(tmp_path))
    assert filled.known == {}
    told = {name: filled.columns(name) for name in names}
    filled.keep()
    assert told == {name: emitted.columns(name) for name in names}
    assert Filled.of(Cache(tmp_path)).known == told


def test_a_changed_source_is_worked_out_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of what sources are made of is another name in the cache: here a mapping of the city's own."""
    own = tmp_path / "own"
    own.mkdir()
    shipped = Filled.of(Cache(None)).name
    monkeypatch.setattr(catalogue, "own", [own])
    assert Filled.of(Cache(None)).name == shipped
    mapping = own / "city_library.source.yml"
    mapping.write_text("source: city.library\n", encoding="utf-8")
    first = Filled.of(Cache(None)).name
    mapping.write_text("source: city.archive\n", encoding="utf-8")
    assert len({shipped, first, Filled.of(Cache(None)).name}) == 3


def test_a_mapping_that_was_taken_in_counts(tmp_path: Path) -> None:
    """The folders of the city's own are those that the catalogue took in."""
    catalogue.add(tmp_path)
    assert catalogue.own == [tmp_path]
