"""Loading: what is wrong is said and the rest goes on; what was learnt is kept and never trusted blindly."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from hinomi.errors import ContentError
from rules.engine import load
from tests.rules.engine import rulebook

SIMPLE = {"sel": {"f": "one"}, "condition": "sel"}


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_broken_rules_are_named(tmp_path: Path) -> None:
    """Each broken file is a problem with file and line in both languages; the good rule still matches."""
    broken = {
        "yaml.yml": ("title: [\n", 2),
        "modifier.yml": (
            "title: x\nlogsource: {product: hinomi}\ndetection:\n  s: {f|nosuch: 1}\n  condition: s\n",
            4,
        ),
        "condition.yml": (
            "title: x\nlogsource: {product: hinomi}\ndetection:\n  s: {f: 1}\n  condition: t\n",
            5,
        ),
        "logsource.yml": ("title: x\ndetection:\n  s: {f: 1}\n  condition: s\n", None),
        "list.yml": ("- a\n- b\n", None),
        "regex.yml": (
            "title: x\nlogsource: {product: hinomi}\ndetection:\n  s: {f|re: '('}\n  condition: s\n",
            4,
        ),
        "bomb.yml": ("a: &a [x]\nb: *a\n", 2),
    }
    for name, (text, _) in broken.items():
        _write(tmp_path, name, text)
    loaded = rulebook.rules(tmp_path, rulebook.rule(SIMPLE))
    assert {problem.path.name: problem.line for problem in loaded.problems} == {
        name: line for name, (_, line) in broken.items()
    }
    assert all(problem.reason.ja and problem.reason.en for problem in loaded.problems)
    assert len(loaded.match(rulebook.batch([{"f": "one"}]))) == 1


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("level", "hihg", "informational、low、medium、high、critical のどれか"),
        ("status", "done", "stable、test、experimental、deprecated、unsupported のどれか"),
        ("id", "rule-1", "UUID"),
        ("date", "20. November", "2026-11-20 のように"),
    ],
)
def test_a_value_that_sigma_does_not_know_is_told_with_those_that_it_does(
    tmp_path: Path, key: str, value: str, remedy: str
) -> None:
    """On its own line, in words that say what to write."""
    text = f"title: x\nlogsource: {{product: hinomi}}\n{key}: {value}\ndetection:\n  s: {{f: 1}}\n  condition: s\n"
    path = _write(tmp_path, "rule.yml", text)
    [problem] = load([path], cache=tmp_path / "cache").problems
    assert str(problem).startswith(f"{path}:3: ") and remedy in str(problem)


def test_missing_path(tmp_path: Path) -> None:
    """A path that is not there is the caller's error."""
    with pytest.raises(ContentError, match="ありません"):
        load([tmp_path / "nowhere"])


def test_test_files_are_not_rules(tmp_path: Path) -> None:
    """`*.test.yml` beside rules is left alone."""
    _write(tmp_path, "a.test.yml", "- name: x\n")
    assert load([tmp_path]).problems == []


def test_one_id_twice(tmp_path: Path) -> None:
    """Of two rules with one id the first counts and the second is a problem."""
    loaded = rulebook.rules(tmp_path, rulebook.rule(SIMPLE), rulebook.rule(SIMPLE, title="again"))
    assert [rule.title for rule in loaded.rules] == ["Test rule"]
    assert "rule_000.yml" in loaded.problems[0].reason.en


def test_collections(tmp_path: Path) -> None:
    """`action: global`, several documents, `repeat` and `reset`."""
    _write(
        tmp_path,
        "many.yml",
        """
action: global
logsource: {product: hinomi, service: city.test}
level: low
---
title: one
detection: {s: {f: one}, condition: s}
---
title: two
detection: {s: {f: two}, condition: s}
---
action: repeat
title: three
detection: {s: {g: three}}
---
action: reset
---
title: four
logsource: {product: hinomi, service: city.test}
detection: {s: {f: four}, condition: s}
""",
    )
    loaded = load([tmp_path])
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    assert [(rule.title, rule.level) for rule in loaded.rules] == [
        ("one", "low"),
        ("two", "low"),
        ("three", "low"),
        ("four", "medium"),
    ]
    hits = loaded.match(rulebook.batch([{"f": "one"}, {"f": "four"}, {"f": "two", "g": "three"}])).hits
    assert [(rule.title, rows.tolist()) for rule, rows in hits] == [
        ("one", [0]),
        ("two", [2]),
        ("three", [2]),
        ("four", [1]),
    ]


def test_collections_mean_what_pysigma_says(tmp_path: Path) -> None:
    """Where both say something the common part counts, and no filter or correlation takes anything from it."""
    text = """
action: global
logsource: {product: hinomi, service: city.test}
level: low
detection: {s: {f: one}}
---
title: one
name: one
level: high
detection: {s: {f: two}, condition: s}
---
action: repeat
title: two
name: two
level: medium
---
title: count
correlation: {type: event_count, rules: [one], group-by: [g], timespan: 1h, condition: {gte: 2}}
---
title: filter
logsource: {product: hinomi}
filter: {rules: [two], t: {g: x}, condition: not t}
"""
    _write(tmp_path, "many.yml", text)
    loaded, theirs = load([tmp_path]), SigmaCollection.from_yaml(text, collect_filters=True)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    levels = {rule.title: rule.level.name.lower() for rule in theirs.rules if isinstance(rule, SigmaRule)}
    assert {rule.title: rule.level for rule in loaded.rules} == levels == {"one": "low", "two": "medium"}
    assert loaded.correlations[0].document["level"] == "medium"  # of its own, not the common one
    hits = loaded.match(rulebook.batch([{"f": "one"}, {"f": "two"}, {"f": "one", "g": "x"}])).hits
    assert [(rule.title, rows.tolist()) for rule, rows in hits] == [("one", [0, 2]), ("two", [0])]


def test_filters(tmp_path: Path) -> None:
    """A filter narrows the rules it names (or any) of its log source, and no others."""
    source = {"product": "hinomi", "service": rulebook.DATASET}
    other = rulebook.rule(SIMPLE, id="21111111-2222-4333-8444-555555555555", name="other")
    narrowed = {
        "title": "not the scanner",
        "logsource": source,
        "filter": {"rules": [rulebook.rule(SIMPLE)["id"]], "s": {"g": "scanner"}, "condition": "not s"},
    }
    loaded = rulebook.rules(tmp_path, rulebook.rule(SIMPLE), other, narrowed)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    hits = loaded.match(rulebook.batch([{"f": "one", "g": "scanner"}, {"f": "one"}])).hits
    assert [rows.tolist() for _, rows in hits] == [[1], [0, 1]]


def test_placeholders(tmp_path: Path) -> None:
    """Given values are used; without them the rule is unsupported and says which name is missing."""
    detection = {"sel": {"f|expand": "adm_%people%"}, "condition": "sel"}
    without = rulebook.rules(tmp_path, rulebook.rule(detection))
    assert "people" in (without.rules[0].unsupported or pytest.fail("supported")).en
    assert without.rules[0].valueless == "people"
    assert without.match(rulebook.batch([{"f": "adm_a"}])).hits == []
    given = load([tmp_path], placeholders={"people": ["a", "b*"]})
    events = [{"f": "adm_a"}, {"f": "ADM_bob"}, {"f": "adm_c"}]
    assert given.match(rulebook.batch(events)).hits[0][1].tolist() == [0, 1]


def test_pipelines(tmp_path: Path) -> None:
    """A pySigma pipeline renames fields; given as a file it is part of the cache's key."""
    text = "name: t\npriority: 10\ntransformations:\n  - {id: m, type: field_name_mapping, mapping: {f: g}}\n"
    path = _write(tmp_path / "p", "pipe.yaml", text)
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    rulebook.rules(folder, rulebook.rule(SIMPLE), cache=cache)
    events = rulebook.batch([{"f": "one"}, {"g": "one"}])
    for pipelines in ([path], [ProcessingPipeline.from_yaml(text)]):
        loaded = load([folder], cache=cache, pipelines=pipelines)
        assert loaded.match(events).hits[0][1].tolist() == [1]
    assert load([folder], cache=cache).match(events).hits[0][1].tolist() == [0]


def test_a_start_from_the_cache_imports_no_sigma(tmp_path: Path) -> None:
    """What stands in the cache is loaded without pySigma, whose import takes a good part of a start."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    rulebook.rules(folder, rulebook.rule(SIMPLE), cache=cache)
    start = (
        "import sys; from pathlib import Path; from rules.engine import load\n"
        f"assert len(load([Path({str(folder)!r})], cache=Path({str(cache)!r})).rules) == 1\n"
        "print([name for name in sys.modules if name.startswith('sigma.')])"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cache_of_changed_rules(tmp_path: Path) -> None:
    """A warm start means the same; a changed rule is read anew."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    events = rulebook.batch([{"f": "one"}, {"f": "two"}])
    for value, expected in [("one", [0]), ("one", [0]), ("two", [1]), ("one", [0])]:
        detection = {"sel": {"f": value}, "condition": "sel"}
        loaded = rulebook.rules(folder, rulebook.rule(detection), cache=cache)
        assert loaded.match(events).hits[0][1].tolist() == expected


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign"])
def test_damaged_cache(tmp_path: Path, damage: str) -> None:
    """Whatever happens to the cached files, the rules mean the same."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    detection = {"sel": {"f|contains": "one"}, "re": {"g|re": "a+b"}, "condition": "1 of them"}
    rulebook.rules(folder, rulebook.rule(detection), cache=cache)
    files = [path for path in cache.iterdir() if path.is_file()]
    assert len(files) >= 4
    for path in files:
        data = path.read_bytes()
        changed = {"empty": b"", "cut": data[:-1], "foreign": b"{}"}.get(damage)
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if changed is None else changed)
    loaded = load([folder], cache=cache)
    assert loaded.match(rulebook.batch([{"f": "xonex"}, {"g": "aab"}, {"g": "b"}])).hits[0][1].tolist() == [
        0,
        1,
    ]


def test_two_at_once(tmp_path: Path) -> None:
    """Two that fill the cache at the same time both end with the right rules."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    rulebook.rules(folder, rulebook.rule(SIMPLE))
    found: list[list[int]] = []

    def run() -> None:
        loaded = load([folder], cache=cache)
        found.append(loaded.match(rulebook.batch([{"f": "x"}, {"f": "one"}])).hits[0][1].tolist())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1]] * 4
    assert not [path for path in cache.iterdir() if path.name.startswith(".part-")]


def test_unused_cache_is_forgotten(tmp_path: Path) -> None:
    """What no start has used for a month goes at the next compile; what is in use stays."""
    folder, cache = tmp_path / "rules", tmp_path / "cache"
    rulebook.rules(folder, rulebook.rule(SIMPLE), cache=cache)
    month = time.time() - 40 * 24 * 3600
    for path in cache.iterdir():
        os.utime(path, (month, month))
    used = {path.name for path in cache.iterdir()}
    load([folder], cache=cache).match(rulebook.batch([{"f": "one"}]))
    stale = _write(cache, "hs-stale", "x")
    os.utime(stale, (month, month))
    rulebook.rules(folder, rulebook.rule({"sel": {"g": "x"}, "condition": "sel"}), cache=cache)
    left = {path.name for path in cache.iterdir()}
    assert "hs-stale" not in left
    assert {name for name in used if name.startswith(("hs-", "rules-"))} <= left


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    """A cache path that is a file costs speed, not detection."""
    blocked = _write(tmp_path, "blocked", "x")
    loaded = rulebook.rules(tmp_path / "rules", rulebook.rule(SIMPLE), cache=blocked)
    assert len(loaded.match(rulebook.batch([{"f": "one"}]))) == 1
