"""One changed rule: what did not change is taken over, and the set means what one compiled at once means."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import RuleSet, cache, hyperscan_db, known, load
from rules.engine.program import SPACES
from tests.rules.engine import rulebook

_WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "al", "a", "ALPHA"]
_FORMS = ["f", "f|contains", "g|startswith", "f|re", "g|contains|all", "f|cased", "g|endswith"]
TURNS = 3
_EVENTS = rulebook.batch(
    [{"f": one, "g": other} for one in _WORDS for other in [*_WORDS, "alpha bravo echo"]]
)


def _id(number: int) -> str:
    return f"{number:08x}-2222-4333-8444-555555555555"


def _rule(number: int, form: str, words: list[str], negated: bool) -> dict[str, Any]:
    detection = {"s": {form: words}, "t": {"f": words[0]}, "condition": "s and not t" if negated else "s"}
    return rulebook.rule(detection, id=_id(number), title=f"rule {number}")


def _write(folder: Path, number: int, document: dict[str, Any] | None) -> None:
    path = folder / f"{number}.yml"
    folder.mkdir(exist_ok=True)
    if document is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(yaml.safe_dump(document), encoding="utf-8")


def _hits(rules: RuleSet) -> dict[str, list[int]]:
    return {rule.id: rows.tolist() for rule, rows in rules.match(_EVENTS).hits}


_made = st.builds(
    _rule,
    st.just(0),
    st.sampled_from(_FORMS),
    st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3),
    st.booleans(),
)
_edits = st.lists(st.tuples(st.integers(0, 5), st.none() | _made), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None)
@given(edits=_edits, few=st.sampled_from([0, 1, 64]))
def test_any_edits_mean_the_same(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, dict[str, Any] | None]], few: int
) -> None:
    """Rules written, rewritten and taken away in any order: after each step the set that took over what it could
    matches as one compiled at once; whether the small databases are merged at once, soon or never."""
    place = tmp_path_factory.mktemp("edits")
    folder, store = place / "rules", place / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "FEW", few)
        for number, document in edits:
            made = document and {**document, "id": _id(number), "title": f"rule {number}"}
            _write(folder, number, made)
            assert _hits(load([folder], cache=store)) == _hits(load([folder]))


def test_only_what_changed_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three hundred rules one changes: one small database is compiled, of the new rule's patterns alone."""
    folder, store = tmp_path / "rules", tmp_path / "cache"
    for number in range(300):
        _write(folder, number, _rule(number, "f|contains", [f"word{number}"], negated=False))
    load([folder], cache=store)
    compiled: list[int] = []
    build = hyperscan_db._build
    monkeypatch.setattr(
        hyperscan_db, "_build", lambda patterns: compiled.append(len(patterns)) or build(patterns)
    )
    _write(folder, 7, _rule(7, "f|contains", ["echo", "golf"], negated=False))
    changed = load([folder], cache=store)
    assert compiled == [2]
    assert len(_hits(changed)[_id(7)]) == sum(one in ("echo", "golf") for one in _WORDS) * (len(_WORDS) + 1)


def test_much_changed_is_compiled_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the atoms of rules long gone nor compiled sets of the past pile up."""
    folder, store = tmp_path / "rules", tmp_path / "cache"
    monkeypatch.setattr(known, "MANY", 10)
    for turn in range(25):
        _write(folder, 1, _rule(1, "f|contains", [f"word{turn}"], negated=False))
        last = load([folder], cache=store)
    assert len(last.compiled.atoms) <= 12
    assert len([path for path in store.iterdir() if path.name.startswith("rules-")]) <= 3


@pytest.mark.parametrize("kind", ["rules", "parsed", "last", "hs"])
def test_damage_is_counted_with_its_reason(tmp_path: Path, kind: str) -> None:
    """One bit of one file changes: it is made again, said and counted, and the next start finds it whole."""
    folder, store = tmp_path / "rules", tmp_path / "cache"
    words = [f"damage {kind} {space}" for space in SPACES]
    _write(folder, 0, _rule(0, "f|contains", words, negated=False))
    load([folder], cache=store)
    [path, *_] = [path for path in store.iterdir() if path.name.startswith(f"{kind}-")]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    hyperscan_db._IN_USE.clear()
    if kind in ("parsed", "last"):  # read only where something changed
        _write(folder, 1, _rule(1, "g", ["bravo"], negated=False))
    loaded = load([folder], cache=store)
    loaded.match(rulebook.batch([{"f": words[0]}]))
    assert dict(loaded.rebuilt) == {(kind, cache.DAMAGED): 1}
    again = load([folder], cache=store)
    assert [rows.tolist() for _, rows in again.match(rulebook.batch([{"f": words[0]}])).hits] == [[0]]
    assert not again.rebuilt


def test_what_another_release_wrote_is_not_believed(tmp_path: Path) -> None:
    """A database whose checksum holds and that Hyperscan does not know is made again, and counted as foreign."""
    folder, store = tmp_path / "rules", cache.Cache(tmp_path / "cache")
    _write(folder, 0, _rule(0, "f|contains", ["foreign"], negated=False))
    load([folder], cache=store.folder)
    for path in (tmp_path / "cache").iterdir():
        if path.name.startswith("hs-"):
            store.write(path.name, (7).to_bytes(4, "big") + b"[[],[]]" + b"not a database")
    hyperscan_db._IN_USE.clear()
    loaded = load([folder], cache=store.folder)
    assert len(loaded.match(rulebook.batch([{"f": "a foreign word"}]))) == 1
    assert set(loaded.rebuilt) == {("hs", cache.FOREIGN)}


def _load_often(folder: Path, store: Path, turn: Any, found: Any) -> None:
    """In a process of its own: loads at the same moment as the other, turn by turn."""
    for _ in range(TURNS):
        turn.wait(60)
        loaded = load([folder], cache=store)
        found.put((_hits(loaded), dict(loaded.rebuilt)))
        turn.wait(60)


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Two processes fill one cache at the same moment, from nothing and then change by change: every set means what its
    rules say, no file is found damaged, none is left half written."""
    folder, store = tmp_path / "rules", tmp_path / "cache"
    spawn = multiprocessing.get_context("spawn")
    turn, found = spawn.Barrier(3), spawn.Queue()
    for number in range(60):
        _write(folder, number, _rule(number, "f|contains", [f"word{number}", "golf"], negated=False))
    processes = [spawn.Process(target=_load_often, args=(folder, store, turn, found)) for _ in range(2)]
    for process in processes:
        process.start()
    for number in range(TURNS):
        _write(folder, number, _rule(number, "f|re", [f"h.tel{number}?$", "echo"], negated=False))
        expected = _hits(load([folder]))
        turn.wait(60)
        turn.wait(60)
        assert [found.get(timeout=60) for _ in range(2)] == [(expected, {})] * 2
    for process in processes:
        process.join(60)
    assert not [path for path in store.iterdir() if path.name.startswith(".part-")]
    hyperscan_db._IN_USE.clear()
    assert not load([folder], cache=store).rebuilt
