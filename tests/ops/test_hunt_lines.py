"""A hunt that reads only lines that hold what rules need finds what one finds that reads every line, event by event.

Real lines of each source, many of them made odd; rules made of the values of their events, in every way that rules ask.
"""

import io
import json
import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import yaml

from collectors import catalogue
from ops.hunt import Hunt
from rules.in_force import InForce
from tests.collectors.test_verbatim import SOURCES, _cells, _frames

ODD = (
    "\u212aelvin",
    "ſ",
    "İ",
    "Ｆｕｌｌ",
    "%41%2f",
    "\\u0041",
    '\\"',
    "\x00",
    "\x1e",
    "\x1f",
    "\\u001f",
    "\u3000",
    "==.",
    "443",
    "exe?",
)
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
SPELLINGS = ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1", "[2001:db8:0::1]", "2001:db8:0:0::0.0.0.1")
"""One address, as lines have it; columns of addresses have the short form."""
KEYWORD = ["2001:db8::1", "db8::", "wxd.conf", "/tmui/control", "stopping iptables", "failed for", "S3"]
FORMS = ("{}", "{}|contains", "{}|startswith", "{}|endswith", "{}|re", "{}|cased", "{}|re|i")


def _odd(line: str, rng: random.Random) -> bytes:
    """The line, changed in one of the ways in which a sender might hide something in it."""
    at = rng.randrange(len(line) + 1)
    match rng.randrange(14):
        case 0:
            return line.swapcase().encode()
        case 1:
            return (line[:at] + rng.choice(ODD) + line[at:]).encode()
        case 2:
            return line.replace("k", "\u212a").replace("s", "ſ").encode()
        case 3:
            return json.dumps({"message": line, "host": "x"}).encode()
        case 4:
            return line.replace("=", '="', 1).encode()
        case 5:
            return (line + " " + line[at:]).encode()
        case 6:
            return ("漢字 " + line + " 表示").encode("cp932", "ignore")
        case 7:
            return line.replace("e", "\\u0065").replace("/", "\\/").encode()
        case 8:
            return ("<134>Nov 20 11:59:00 gw01 " + line).encode()
        case 9:
            return line.replace("=", "=000", 2).replace("  ", " ").encode()
        case 10:
            return line[:at].encode()
        case 11 | 12:
            return ADDRESS.sub(rng.choice(SPELLINGS), line).encode()
    return line.encode()


def _test(column: str, text: str, rng: random.Random) -> dict[str, Any]:
    """One of the ways in which a rule may ask for such a text."""
    cut = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    piece = text[cut[0] : cut[1]]
    other: list[dict[str, Any]] = [
        {column: None},
        {f"{column}|exists": rng.choice([True, False])},
        {f"{column}|gt": rng.randrange(500)},
        {f"{column}|cidr": rng.choice(["203.0.113.0/24", "2001:db8::/32"])},
        {column: "2001:db8::1"},
        {f"{column}|endswith": "db8::1"},
        {f"{column}|fieldref": "event.action"},
        {f"{column}|contains|all": [piece, text[:3]]},
        {column: piece + "*"},
        {column: "*" + piece[:1] + "?" + piece[2:] + "*"},
        {column: ""},
        {f"{column}|re": rng.choice([r"\d+", "(?i)(a|b)c", r"^.{3}$", "(exe|js)"])},
    ]
    if rng.random() < 0.35:
        return rng.choice(other)
    form = rng.choice(FORMS)
    said = (
        piece
        if "contains" in form
        else text[: cut[1]]
        if "starts" in form
        else text[cut[0] :]
        if "ends" in form
        else text
    )
    if "|re" in form:
        said = "".join(letter if letter.isalnum() else "." for letter in said) or "x"
    else:
        said = said.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    return {form.format(column): said}


def _rules(name: str, frames: list[pl.DataFrame], rng: random.Random, *, plain: bool) -> list[dict[str, Any]]:
    """A rule of what some events hold: one part, two together, or one without the other; seldom two rules."""
    verbatim = catalogue.find(name).verbatim
    assert verbatim is not None
    cells = [
        (column, text)
        for frame in rng.choices(frames, k=3)
        for column in frame.columns
        if column != "row" and (verbatim.of(column) is not None or rng.random() < 0.03)
        for _, text in rng.choices(_cells(frame, column), k=2)
        if text is not None
    ]
    if plain:
        known = [
            (one, said)
            for one, said in cells
            if verbatim.of(one) is not None and verbatim.of(one).only is None
        ]
        words = [(one, said) for one, said in known if said.isalpha() and len(said) > 7]
        column, text = rng.choice(words or known)
        return [_rule(0, name, {"a": {column: text}, "condition": "a"})]
    made = []
    for number, condition in enumerate(
        rng.choices(["a", "a and b", "a or b", "a and not b"], k=1 + (rng.random() < 0.2))
    ):
        one, other = (_test(*rng.choice(cells), rng) for _ in range(2))
        detection: dict[str, Any] = {"a": one, "b": other, "condition": condition}
        if rng.random() < 0.1:
            detection["a"] = [rng.choice(KEYWORD)]
        made.append(_rule(number, name, detection))
    return made


def _rule(number: int, name: str, detection: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": f"rule {number}",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "logsource": {"product": "hinomi", "service": name},
        "detection": detection,
        "level": "low",
    }


def _found(path: Path, name: str, rules: Path, cache: Path, *, sieve: bool) -> tuple[list[Any], int, int]:
    hunt, out = Hunt([path], InForce([rules]), cache, source=name, sieve=sieve), io.BytesIO()
    hunt.write_jsonl(out)
    documents = [orjson.loads(line) for line in out.getvalue().splitlines()]
    found = sorted((one["rule"]["id"], one["event"]["id"]) for one in documents)
    return found, hunt.tally.events, hunt.tally.passed_over


@pytest.mark.parametrize("name", SOURCES)
def test_lines(name: str, tmp_path: Path) -> None:
    """Case, letters that fold to others, escapes, percent signs, quotes that do not end, keys given twice, zeros before
    numbers, documents around lines, other encodings, cut lines; wildcards, expressions, numbers, networks, references, null,
    absence, negation, keywords. Not all is read: otherwise the test would show nothing."""
    counted: Counter[str] = Counter()
    lines, frames = _frames(name)
    frames = [frame for frame in frames if frame.height]
    for seed in range(ROUNDS):
        rng = random.Random(f"{name} {seed}")
        place = tmp_path / str(seed)
        (place / "rules").mkdir(parents=True)
        for number, rule in enumerate(_rules(name, frames, rng, plain=seed % 3 == 0)):
            (place / "rules" / f"{number}.yml").write_text(
                yaml.safe_dump(rule, allow_unicode=True), encoding="utf-8"
            )
        chosen = [lines[0], *rng.choices(lines, k=60)]
        path = place / "events.log"
        path.write_bytes(b"\n".join([lines[0].encode(), *(_odd(line, rng) for line in chosen)]) + b"\n")
        sifted, events, over = _found(path, name, place / "rules", tmp_path / "cache", sieve=True)
        whole, _, _ = _found(path, name, place / "rules", tmp_path / "cache", sieve=False)
        assert sifted == whole, [path.read_text(encoding="utf-8") for path in (place / "rules").iterdir()]
        counted.update(events=events, over=over, found=len(whole))
    assert counted["over"] and counted["found"], counted


ROUNDS = int(os.environ.get("HINOMI_ROUNDS", "6"))
"""Files and rule sets a source; HINOMI_ROUNDS=50 for a longer search."""
