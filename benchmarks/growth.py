"""How the cost grows with the rules (100, 1,000, 10,000) and with the events in a batch; drawn into docs/images/growth.svg.

Rules: SigmaHQ's Windows rules in one shuffled order (in that of their names the first hundred are of rare logs); beyond
their number copied with the texts changed, so that no two share an atom. Events: the attack samples, replicated and
varied. Also: what one changed rule costs until it is live, with the cache kept, and peak memory.
"""

import json
import math
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import yaml

from benchmarks._corpora import corpus
from benchmarks._windows_events import batches, replicated
from hinomi.batch import Batch
from rules.engine import RuleSet, load, rule_files

RULES = (100, 1_000, 10_000)
EVENTS = (1_000, 10_000, 90_000)
CHART = Path(__file__).parents[1] / "docs" / "images" / "growth.svg"


def main() -> None:
    """Print microseconds an event by rules and by events; `draw` as an argument draws the chart."""
    logs = batches(corpus("evtx"))
    public, by_rules = _public(), list[tuple[int, float]]()
    with tempfile.TemporaryDirectory() as folder:
        loaded = None
        for count in RULES:
            rules = Path(folder) / f"rules{count}"
            _write(rules, public, count)
            start = time.process_time()
            loaded = load([rules], cache=Path(folder) / "cache")
            cold = time.process_time() - start
            cost = _cost(loaded, replicated(logs, 10, varied=True))
            by_rules.append((count, cost))
            print(f"{count:6,} rules: {cost:6.1f} µs an event, loaded cold in {cold:.1f} s of processor")
        _growth("rules", by_rules)
        _changed(Path(folder) / "rules1000", Path(folder) / "cache")
    whole = load(
        [corpus("sigma", "rules", "windows")], cache=Path.home() / ".cache" / "hinomi" / "bench-rules"
    )
    by_events = []
    for count in EVENTS:
        given = replicated(logs, max(count // 4_593, 1), varied=True)
        if count < 4_593:
            given = [
                Batch(batch.dataset, batch.frame[: max(len(batch) * count // 4_593, 1)]) for batch in given
            ]
        by_events.append((count, _cost(whole, given)))
        print(f"{count:6,} events, {len(whole.rules):,} rules: {by_events[-1][1]:6.1f} µs an event")
    _growth("events", by_events)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all this in one process: {peak:.0f} MiB")
    if "draw" in sys.argv or os.environ.get("HINOMI_DRAW"):
        CHART.write_text(_chart(by_rules, by_events), encoding="utf-8")


def _growth(what: str, points: list[tuple[int, float]]) -> None:
    """By which power the cost of all events grows with the last step: 1 is linear (of events: 0 an event)."""
    (few, before), (many, after) = points[-2:]
    power = math.log(after / before) / math.log(many / few)
    print(
        f"{many / few:.0f} times the {what}: {after / before:.2f} times an event's cost (power {power:.2f})"
    )


def _cost(rules: RuleSet, given: list[Batch]) -> float:
    """Microseconds of processor an event, the best of three."""
    for batch in given:
        rules.match(batch)
    best = min(_once(rules, given) for _ in range(3))
    return best / sum(map(len, given)) * 1e6


def _once(rules: RuleSet, given: list[Batch]) -> float:
    start = time.process_time()
    for batch in given:
        rules.match(batch)
    return time.process_time() - start


def _write(folder: Path, public: list[dict[str, Any]], count: int) -> None:
    folder.mkdir()
    for number in range(count):
        copy, place = divmod(number, len(public))
        rule = public[place] if not copy else _copied(public[place], copy)
        (folder / f"{number:05}.yml").write_text(
            json.dumps(rule, default=str, ensure_ascii=False), encoding="utf-8"
        )  # is YAML, too


def _public() -> list[dict[str, Any]]:
    files = rule_files([corpus("sigma", "rules", "windows")])
    public = [yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in files]
    Random(1).shuffle(public)
    return public


def _copied(rule: dict[str, Any], copy: int) -> dict[str, Any]:
    return {
        **rule,
        "id": f"{copy:08x}-{rule['id'][9:]}",
        "detection": {
            name: part if name == "condition" else _changed_texts(part, f"q{copy}")
            for name, part in rule["detection"].items()
        },
    }


def _changed_texts(part: Any, tag: str, key: str = "") -> Any:
    """Every text of a search with something behind its first letters; event ids and the like stay."""
    if isinstance(part, dict):
        return {name: _changed_texts(value, tag, name) for name, value in part.items()}
    if isinstance(part, list):
        return [_changed_texts(one, tag, key) for one in part]
    plain = (
        isinstance(part, str) and len(part) > 4 and not {"re", "cidr", "base64offset"} & set(key.split("|"))
    )
    return part[:3] + tag + part[3:] if plain and not key.startswith(("Provider", "Channel")) else part


def _changed(folder: Path, cache: Path) -> None:
    path = folder / "00500.yml"
    rule = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    rule["detection"] = {"s": {"CommandLine|contains": "something quite new"}, "condition": "s"}
    path.write_text(yaml.safe_dump(rule), encoding="utf-8")
    start = time.process_time()
    load([folder], cache=cache)
    print(f"one of 1,000 rules changed: live after {time.process_time() - start:.2f} s of processor (aim 2)")


def _chart(by_rules: list[tuple[int, float]], by_events: list[tuple[int, float]]) -> str:
    left = _panel(by_rules, 0, "ルールの数 / rules")
    right = _panel(by_events, 330, "バッチのイベント数 / events")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 240" role="img" font-family="sans-serif" '
        f'font-size="12"><title>照合の1件あたりの時間 / cost of matching an event</title>'
        "<style>text{paint-order:stroke;stroke:#fff;stroke-width:3px}</style>"  # a figure on the line is read all the same
        f'<rect width="660" height="240" fill="#fff"/>{left}{right}</svg>\n'
    )


def _panel(points: list[tuple[int, float]], x: int, title: str) -> str:
    top = max(value for _, value in points) * 1.15
    places = [(x + 60 + 110 * n, 200 - 150 * value / top) for n, (_, value) in enumerate(points)]
    line = " ".join(f"{px:.0f},{py:.0f}" for px, py in places)
    return (
        f'<text x="{x + 20}" y="20">µs/件 (event) ← {title}</text>'
        f'<path d="M{x + 40} 200H{x + 310}" stroke="#888" fill="none"/>'
        f'<polyline points="{line}" fill="none" stroke="#0b5cad" stroke-width="2"/>'
        + "".join(_point(place, point) for place, point in zip(places, points, strict=True))
    )


def _point(place: tuple[float, float], point: tuple[int, float]) -> str:
    x, y = place
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#0b5cad"/>'
        f'<text x="{x:.0f}" y="{y - 8:.0f}" text-anchor="middle">{point[1]:.1f}</text>'
        f'<text x="{x:.0f}" y="218" text-anchor="middle">{point[0]:,}</text>'
    )


if __name__ == "__main__":
    main()
