"""The compliance report against a recount of its own: Parquet files read by Polars, records by SQL, rules as YAML.

Nothing of `dashboards.compliance.checks` or the store's own search is used for the expected figures.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from dashboards.compliance.control import Ask
from dashboards.compliance.judgement import Judged, State, judge
from dashboards.console.rulebook import Rulebook
from dashboards.reporting.document import Ingredients, Table
from dashboards.reports import annual_compliance
from dashboards.users import APPROVERS
from hinomi import query
from ops.folders import packs_folder
from tests.dashboards.city import NOW, City, seeded_city

pytestmark = pytest.mark.xdist_group("recomputed")  # what is made once for all of them is made in one process

Row = dict[str, Any]
PLAYBOOKS = Path(__file__).parents[2] / "responders" / "playbooks"


NOTIFIED: dict[str, Row] = {
    "of-1": {"incident_id": "inc-1", "asks": True, "state": "folded", "into": "storm"},
    "of-2": {"incident_id": "inc-2", "asks": True, "state": "moot"},
    "storm": {"incident_id": "inc-3", "asks": False, "state": "sent", "members": ["of-3", "of-1"]},
}
"""A message that was told in a digest, and one that somebody forestalled."""


class Recount:
    """The city's folder, read anew."""

    def __init__(self, folder: Path) -> None:
        files = [pl.read_parquet(path) for path in sorted((folder / "events").rglob("*.parquet"))]
        self.rows: list[Row] = [
            {name: value for name, value in row.items() if value is not None}
            for frame in files
            for row in frame.iter_rows(named=True)
        ]
        self.logs = [row for row in self.rows if not row["event.dataset"].startswith("hinomi.")]
        with sqlite3.connect(folder / "records.sqlite") as db:
            self.records = [
                (kind, json.loads(body)) for kind, body in db.execute("select kind, body from record")
            ]
        db.close()

    def of(self, kind: str) -> list[Row]:
        """Bodies of a kind of record."""
        return [body for one, body in self.records if one == kind]

    def newest(self) -> dict[str, datetime]:
        """Dataset → time of its newest event."""
        found: dict[str, datetime] = {}
        for row in self.logs:
            name, at = row["event.dataset"], row["@timestamp"]
            found[name] = max(at, found.get(name, at))
        return found


def holds(node: query.Node, row: Row) -> bool:
    """Whether the query holds of an event: a value at a time, as the language's documentation has it."""
    match node:
        case query.And(parts):
            return all(holds(part, row) for part in parts)
        case query.Or(parts):
            return any(holds(part, row) for part in parts)
        case query.Not(part):
            return not holds(part, row)
        case query.Exists(name):
            return name in row
        case query.Within(name, network):
            return any(ip_address(value) in network for value in _values(row, name))
        case query.Is(name, value, wild):
            found = [str(one).lower() for one in _values(row, name)]
            wanted = value.lower()
            return any(
                fnmatchcase(one, wanted.replace("[", "[[]")) if wild else one == wanted for one in found
            )
    raise AssertionError(node)


def _values(row: Row, name: str) -> list[Any]:
    held = row.get(name, [])
    return held if isinstance(held, list) else [held]


@cache
def _rules() -> tuple[Row, ...]:
    """Every rule of ours, as it is written."""
    written = (
        document
        for path in packs_folder().rglob("*.yml")
        for document in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    )
    kinds = {"detection", "correlation", "baseline"}
    return tuple(one for one in written if isinstance(one, dict) and kinds & set(one))


def _logs(recount: Recount, ask: Ask) -> list[int]:
    start = NOW - timedelta(days=ask.given["days"])
    node = query.parse(ask.given["query"])
    rows = (row for row in recount.rows if start <= row["@timestamp"] < NOW)
    return [sum(holds(node, row) for row in rows), ask.given["days"]]


def _serving(_: Recount, ask: Ask) -> list[int]:
    wanted = set(map(str, ask.given))
    return [
        sum(
            clause in wanted
            for rule in _rules()
            for clause in (rule.get("hinomi") or {}).get("guideline", [])
        )
    ]


def _offices(recount: Recount, _: Ask) -> list[int]:
    users = [one for one in recount.of("user") if not one.get("disabled")]
    return [sum(bool(set(user["roles"]) & set(map(str, APPROVERS))) for user in users)]


def _kept(recount: Recount, _: Ask) -> list[int]:
    """How many kinds there are, how many of them reach back a year: none of the city's, which are all of these days."""
    oldest: dict[str, datetime] = {}
    for row in recount.logs:
        name, at = row["event.dataset"], row["@timestamp"]
        oldest[name] = min(at, oldest.get(name, at))
    return [len(oldest), sum((NOW - at).days >= 365 for at in oldest.values())]


def _arriving(recount: Recount, _: Ask) -> list[int]:
    return [sum(at >= NOW - timedelta(days=1) for at in recount.newest().values())]


def _clouds(recount: Recount, _: Ask) -> list[int]:
    clouds = ("microsoft.m365_audit", "microsoft.entra", "google.workspace", "aws.cloudtrail", "box.events")
    late = NOW - timedelta(days=7)
    return [sum(name in clouds and at >= late for name, at in recount.newest().items()), 7]


def _taken(recount: Recount, _: Ask) -> list[int]:
    real = [one for one in recount.of("incident") if one["grade"] >= 1]
    return [len(real), sum(one.get("acknowledged_at") is not None for one in real)]


def _old(recount: Recount, grade: int, hours: int) -> list[Row]:
    """Incidents of at least this grade that are so many hours old."""
    late = NOW - timedelta(hours=hours)
    found = [one for one in recount.of("incident") if one["grade"] >= grade]
    return [one for one in found if datetime.fromisoformat(one["opened"]) < late]


def _sent(recount: Recount, _: Ask) -> list[int]:
    """As the outbox says what its states mean: sent by itself, told in a digest that was sent, or idle as somebody had it in hand."""
    messages = recount.of("notification")
    went = {
        member
        for one in messages
        if one["state"] == "sent"
        for member in [one["incident_id"], *one.get("members", [])]
    }
    names = {member: one["incident_id"] for member, one in NOTIFIED.items()}
    told = {names.get(one, one) for one in went}
    idle = {one["incident_id"] for one in messages if one["state"] == "moot" and one["asks"]} - told
    real = [one["id"] for one in _old(recount, 2, 1)]
    return [len(real), sum(one in told for one in real), sum(one in idle for one in real)]


def _planned(recount: Recount, _: Ask) -> list[int]:
    kinds = len(list(PLAYBOOKS.glob("*.yml")))
    real = [one for one in _old(recount, 2, 24) if one["verdict"] in (None, "true_positive")]
    return [kinds, len(real), sum(bool(one["run_ids"]) for one in real)]


def _runs(recount: Recount, _: Ask) -> list[int]:
    return [sum(one.get("state") == "done" for one in recount.of("playbook_run"))]


def _drills(recount: Recount, _: Ask) -> list[int]:
    found = [one for one in recount.of("exercise") if one["on"] >= f"{NOW - timedelta(days=365):%Y-%m-%d}"]
    kinds = [one["what"] for one in found]
    return [
        kinds.count("drill"),
        kinds.count("training"),
        len({name for one in found for name in one["people"]}),
    ]


def _reports(recount: Recount, _: Ask) -> list[int]:
    return [40, sum(not one.get("organization") for one in recount.of("report"))]


def _audit(recount: Recount, _: Ask) -> list[int]:
    return [len(recount.of("audit"))]


def _grave(recount: Recount, _: Ask) -> list[int]:
    taken = {one["target"] for one in recount.of("audit") if one.get("action") == "console.evidence"}
    taken |= {one["incident_id"] for one in recount.of("evidence")}
    grave = _old(recount, 3, 24)
    return [len(grave), sum(one["id"] in taken for one in grave)]


def _exceptions(recount: Recount, _: Ask) -> list[int]:
    found = recount.of("suppression")
    return [len(found), sum(not (one.get("until") and one.get("reason")) for one in found)]


def _silent(recount: Recount, _: Ask) -> list[int]:
    known = [one for one in recount.of("source") if not one.get("pin")]
    return [len(known)]


def _credential(_: Recount, __: Ask) -> list[int]:
    kept = (rule for rule in _rules() if "baseline" not in rule)
    return [sum(list(rule.get("tags", [])).count("attack.credential-access") for rule in kept)]


def _correlations(_: Recount, __: Ask) -> list[int]:
    return [sum("correlation" in rule for rule in _rules())]


RECOUNTED: dict[str, Callable[[Recount, Ask], list[int]]] = {
    "logs": _logs,
    "rules": _serving,
    "offices": _offices,
    "kept_a_year": _kept,
    "arriving": _arriving,
    "cloud_logged": _clouds,
    "taken": _taken,
    "notified": _sent,
    "rehearsed": _runs,
    "drilled": _drills,
    "digests": _reports,
    "audit_whole": _audit,
    "evidence_taken": _grave,
    "playbooks": _planned,
    "exceptions_dated": _exceptions,
    "not_silent": _silent,
    "signin_watched": _credential,
    "correlations": _correlations,
}
"""Check → its figures in the order in which its words name them (the first ones where it names more)."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recount, list[Judged], Ingredients]]:
    folder = tmp_path_factory.mktemp("recounted")
    made: City = seeded_city(folder)
    for name, message in NOTIFIED.items():
        made.records.put("notification", name, message)
    of = Ingredients(made.events, made.records, made.clock, "火の見市", rulebook=Rulebook([packs_folder()]))
    yield Recount(folder), judge(of), of
    made.close()


def test_every_figure_is_that_of_the_recount(judged: tuple[Recount, list[Judged], Ingredients]) -> None:
    """Each figure behind each control equals the independent one, and good or bad follows from it."""
    recount, found, _ = judged
    compared = 0
    for one in found:
        for ask, outcome in zip(one.control.checks, one.outcomes, strict=True):
            if ask.kind not in RECOUNTED:
                continue
            words = (
                outcome.words.ja.removeprefix(str(ask.given["ja"]))
                if ask.kind == "logs"
                else outcome.words.ja
            )
            said = [
                int(n.replace(",", ""))
                for n in re.findall(r"\d[\d,]*", words.replace("1年間", "").replace("1日", ""))
            ]
            expected = RECOUNTED[ask.kind](recount, ask)
            assert said[: len(expected)] == expected, (one.control.id, ask.kind, outcome.words.ja)
            if ask.kind == "logs":
                assert outcome.good is (expected[0] >= int(ask.given["least"])), one.control.id
            compared += 1
    assert compared >= 60
    assert sum(row["@timestamp"].astimezone(UTC) < NOW for row in recount.logs) > 0


def test_sixty_of_sixty_have_a_state_that_follows(judged: tuple[Recount, list[Judged], Ingredients]) -> None:
    """Each control is evidenced, in gap or needs a person (nothing else without exceptions), by what its checks found;
    and the report prints each with source, confidence, evidence or what a person must do, and the query asked."""
    _, found, of = judged
    assert len(found) == 60
    for one in found:
        failed = any(not outcome.good for outcome in one.outcomes)
        wanted = State.GAP if failed else State.PERSON if one.control.person.ja else State.EVIDENCED
        assert one.state is wanted, one.control.id
    made = annual_compliance.make(of, NOW, "ja")
    rows = [
        row
        for part in made.parts[1:-1]
        for block in part.blocks
        if isinstance(block, Table)
        for row in block.rows
    ]
    by_id = {row[0].rpartition("[")[2].rstrip("]"): row for row in rows}
    assert set(by_id) == {one.control.id for one in found}
    for one in found:
        row = by_id[one.control.id]
        assert one.control.source.ja in row[4] and row[3] != "—" and row[5], one.control.id
        assert ("推定" in row[4]) is (one.control.inferred or one.control.number_inferred), one.control.id
        for outcome in one.outcomes:
            assert any(o.figure == one.control.id and o.asked == outcome.query for o in made.origins), (
                one.control.id
            )
