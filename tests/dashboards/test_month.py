"""Reports over a generated month: each figure of the machine-readable report is counted again in plain Python from the NDJSON
export of the events and the bare rows of the records, without the store's queries or the reports' code, and is equal."""

import json
import re
import sqlite3
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboards import times
from dashboards.console.rulebook import Rulebook
from dashboards.reporting import catalogue
from dashboards.reporting.document import Ingredients
from dashboards.reporting.machine import machine
from dashboards.texts import Texts
from hinomi.clock import JST
from hinomi.words import Language
from tests.dashboards.a_month import END, NOW, RULES, STAFF, START, generated
from tests.dashboards.browse import browser
from tests.dashboards.city import City

pytestmark = pytest.mark.xdist_group("month")  # what is made once for all of them is made in one process

Body = dict[str, Any]
GRADES = (3, 2, 1, 0)
CONTAINS = {"directory.disable_account", "firewall.block_address"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the month lies."""
    return tmp_path_factory.mktemp("month")


@pytest.fixture(scope="module")
def city(folder: Path) -> Iterator[City]:
    """The month."""
    made = generated(folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def events(city: City) -> list[Body]:
    """Every event, as the console exports them; its moment in Japan under `at`."""
    exported = browser(city, "m.kato").get("/search/export.ndjson?range=all").text
    found = [json.loads(line) for line in exported.splitlines()]
    return [one | {"at": datetime.fromisoformat(one["@timestamp"]).astimezone(JST)} for one in found]


@pytest.fixture(scope="module")
def records(city: City, folder: Path) -> Callable[[str], list[Body]]:
    """Bodies of a kind, as the rows of the file have them."""

    def of(kind: str) -> list[Body]:
        with sqlite3.connect(folder / "records.sqlite") as held:
            return [
                json.loads(body) for (body,) in held.execute("select body from record where kind = ?", [kind])
            ]

    return of


def _report(city: City, name: str, start: datetime, language: Language = "ja", subject: str = "") -> Body:
    of = Ingredients(city.events, city.records, city.clock, "火の見市", subject, Rulebook([]))
    found: Body = json.loads(machine(catalogue.find(name).document(of, start, language)))
    return found


def _tables(report: Body, title: str) -> list[list[list[str]]]:
    """Rows of the tables of the part that has this name in the catalogue of texts."""
    [part] = [one for one in report["parts"] if one["title"] == Texts(report["language"])(title)]
    return [block["rows"] for block in part["blocks"] if block["kind"] == "table"]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(JST)


def _closed(one: Body) -> datetime | None:
    """When a closed incident was closed: as noted, else its last change of status."""
    if one["status"] != "closed":
        return None
    changed = [line["time"] for line in one["timeline"] if line["kind"] == "status"]
    return _at(one["fields"].get("closed_at") or changed[-1])


def _taken(one: Body) -> datetime | None:
    """When a person took it: whoever closed it took it then at the latest."""
    return _at(one["acknowledged_at"]) if one["acknowledged_at"] else _closed(one)


def _cases(
    records: Callable[[str], list[Body]], start: datetime, end: datetime
) -> tuple[list[Body], list[Body], list[Body]]:
    """(opened in the period, closed in it, open at its end), those left out that another incident took in."""
    real = [one for one in records("incident") if "merged_into" not in one["fields"]]
    opened = [one for one in real if start <= _at(one["opened"]) < end]
    closed = [one for one in real if (at := _closed(one)) and start <= at < end]
    left = [one for one in real if _at(one["opened"]) < end and ((at := _closed(one)) is None or at >= end)]
    return opened, closed, left


def _spread(seconds: list[float], language: Language) -> list[str]:
    """Count, mean, median, ninth tenth (linear between neighbours) and longest, as a row shows them."""
    ordered = sorted(seconds)
    place = (len(ordered) - 1) * 0.9
    low = ordered[int(place)]
    tail = low + (ordered[min(int(place) + 1, len(ordered) - 1)] - low) * (place - int(place))
    told = (sum(ordered) / len(ordered), statistics.median(ordered), tail, ordered[-1])
    return [str(len(ordered)), *(times.duration(timedelta(seconds=one), language) for one in told)]


def _contained(one: Body, runs: dict[str, Body]) -> datetime | None:
    """When the first act of containment was done that was no rehearsal, as the journals have it."""
    done = []
    for run in (runs[name] for name in one["run_ids"]):
        acts = {str(step["index"]) for step in run["steps"] if step["act"] in CONTAINS}
        for line in run["journal"]:
            at, index, moved = line.split()[:3]
            if not run["dry_run"] and index in acts and moved.endswith("→done"):
                done.append(_at(at))
    return min(done, default=None)


@pytest.mark.parametrize(
    ("name", "start", "end", "language"),
    [
        ("monthly-committee", START, END, "ja"),
        ("monthly-committee", START, END, "en"),
        ("weekly-operations", datetime(2026, 11, 9, tzinfo=JST), datetime(2026, 11, 16, tzinfo=JST), "ja"),
        ("weekly-operations", datetime(2026, 11, 30, tzinfo=JST), datetime(2026, 12, 7, tzinfo=JST), "en"),
    ],
)
def test_cases_times_and_rules(
    city: City,
    events: list[Body],
    records: Callable[[str], list[Body]],
    name: str,
    start: datetime,
    end: datetime,
    language: Language,
) -> None:
    """Incidents by grade, MTTD, MTTA, MTTC and the time to a verdict with their tails, alerts and precision by rule, what incidents
    name most, and events and silent days of each dataset."""
    report = _report(city, name, start + timedelta(hours=5), language)
    assert (_at(report["start"]), _at(report["end"])) == (start, end)
    opened, closed, left = _cases(records, start, end)
    grades = [
        [str(sum(one["grade"] == grade for one in group)) for group in (opened, closed, left)]
        for grade in GRADES
    ]
    by_grade, listed = _tables(report, "digest.incidents")
    assert [row[1:] for row in by_grade] == grades
    gravest = sorted(left, key=lambda one: (-one["grade"], _at(one["opened"])))[:30]
    assert [row[0] for row in listed] == [f"#{one['number']}" for one in gravest]

    runs = {one["id"]: one for one in records("playbook_run")}
    taken = [_taken(one) for one in opened]
    spans = [
        [(_at(one["opened"]) - _at(one["first"])).total_seconds() for one in opened],
        [(at - _at(one["opened"])).total_seconds() for one, at in zip(opened, taken, strict=True) if at],
        [(at - _at(one["opened"])).total_seconds() for one in opened if (at := _contained(one, runs))],
        [(_closed(one) - _at(one["opened"])).total_seconds() for one in closed],  # type: ignore[operator]
    ]
    assert all(spans)
    assert [row[1:] for row in _tables(report, "figures.times")[0]] == [
        _spread(one, language) for one in spans
    ]

    verdicts = {one["id"]: one["verdict"] for one in closed}
    told = {}
    for rule, (ja, en, _) in RULES.items():
        found = [
            one for one in records("alert") if one["rule_id"] == rule and start <= _at(one["detected"]) < end
        ]
        judged = Counter(verdicts.get(one["incident_id"]) for one in found)
        real, benign, false = (judged[verdict] for verdict in ("true_positive", "benign", "false_positive"))
        share = f"{(real + benign) / (real + benign + false) * 100:.0f}%" if real + benign + false else "—"
        if found:
            told[ja if language == "ja" else en] = [
                f"{len(found):,}",
                str(real),
                str(benign),
                str(false),
                share,
            ]
    assert {row[0]: row[1:] for row in _tables(report, "figures.rules")[0]} == told

    named = Counter(
        (field, value) for one in opened for field, values in one["entities"].items() for value in set(values)
    )
    shown = {(row[0], row[1]): int(row[2]) for row in _tables(report, "figures.entities")[0]}
    assert sorted(shown.values(), reverse=True) == sorted(named.values(), reverse=True)[: len(shown)]
    assert shown == {
        (Texts(language).get("entity", field), value): n
        for (field, value), n in named.items()
        if (Texts(language).get("entity", field), value) in shown
    }

    for row in _tables(report, "digest.sources")[0]:
        own = [one["at"] for one in events if one["event.dataset"] == row[0] and start <= one["at"] < end]
        days = [
            start + timedelta(days=n) for n in range((min(end, NOW) - start).days + (1 if end > NOW else 0))
        ]
        silent = [day for day in days if not any(day <= at < day + timedelta(days=1) for at in own)]
        assert row[1] == (f"{len(own):,}" if own else "—"), row
        if own and silent:
            assert str(len(silent)) in re.findall(r"\d+", row[2]) and f"{silent[0]:%m/%d}" in row[2], row
        elif own:
            assert row[2] == Texts(language)("coverage.every_day")
    key, more = (
        ("monthly.sum", {"grave": sum(one["grade"] == 3 for one in opened)})
        if name.startswith("m")
        else ("weekly.sum", {})
    )
    assert report["summary"][0] == Texts(language)(
        key, opened=len(opened), closed=len(closed), left=len(left), **more
    )


def test_retention_and_changes_of_the_month(
    city: City, events: list[Body], records: Callable[[str], list[Body]]
) -> None:
    """Days held of each dataset with its longest silence, and what the audit log says was changed in the month and not before or after."""
    report = _report(city, "monthly-committee", START)
    today = NOW.astimezone(UTC).date()
    for dataset, n, days, wanted, state, gap in _tables(report, "monthly.retention")[0]:
        own = [one["at"].astimezone(UTC).date() for one in events if one["event.dataset"] == dataset]
        held = sorted({*own, today + timedelta(days=1)})
        silences = [(later - day).days - 1 for day, later in pairwise(held)]
        assert (n, int(days), wanted) == (f"{len(own):,}", (today - min(own)).days, "365")
        assert gap == (str(max(silences)) if max(silences) >= 7 else "—")
        assert state == Texts("ja")("monthly.young")  # the whole tower is younger than a year
    counts = Counter(one["action"] for one in records("audit") if START <= _at(one["at"]) < END)
    changes = {row[1]: int(row[2]) for row in _tables(report, "monthly.changes")[0]}
    assert changes == {name: counts[name] for name in ("rules.reloaded", "tuning.proposed", "user.roles")}
    assert set(changes.values()) == {3}  # of those on the edges one before and one after are no part of it


@pytest.mark.parametrize("day", [1, 11, 17, 30])
def test_a_day(city: City, events: list[Body], records: Callable[[str], list[Body]], day: int) -> None:
    """The digest: incidents that happened, were opened and closed, those open now, the time until they were taken, alerts by rule,
    and events by dataset."""
    start = datetime(2026, 11, day, tzinfo=JST)
    end = start + timedelta(days=1)
    report = _report(city, "daily-digest", start + timedelta(hours=9))
    opened, closed, _ = _cases(records, start, end)
    real = [one for one in records("incident") if "merged_into" not in one["fields"]]
    happened = [one for one in real if _at(one["first"]) < end and _at(one["last"]) >= start]
    left = [one for one in real if one["status"] != "closed"]
    groups = (happened, opened, closed, left)
    assert [row[1:] for row in _tables(report, "digest.incidents")[0]] == [
        [str(sum(one["grade"] == grade for one in group)) for group in groups] for grade in GRADES
    ]
    known, found = Counter[str](), Counter[str]()
    for one in records("alert"):
        known[one["title_ja"]] += _at(one["first"]) < end and _at(one["last"]) >= start
        found[one["title_ja"]] += start <= _at(one["detected"]) < end
    shown = {row[0]: (int(row[3]), int(row[4])) for row in _tables(report, "digest.alerts")[0]}
    assert shown == {name: (known[name], found[name]) for name in known if known[name] or found[name]}
    totals = Counter(one["event.dataset"] for one in events if start <= one["at"] < end)
    volumes = {row[0]: row[1] for row in _tables(report, "digest.sources")[0]}
    assert volumes == {name: f"{totals[name]:,}" if totals[name] else "—" for name in volumes}
    waits = [at - _at(one["opened"]) for one in opened if (at := _taken(one))]
    if waits:
        middle, longest = statistics.median(waits), max(waits)
        said = {"middle": times.duration(middle, "ja"), "longest": times.duration(longest, "ja")}
        assert Texts("ja")("digest.ack", n=len(waits), **said) in json.dumps(report, ensure_ascii=False)
    assert report["summary"][0] == Texts("ja")(
        "digest.sum_incidents", happened=len(happened), opened=len(opened)
    )


def test_telework(city: City, events: list[Body], records: Callable[[str], list[Body]]) -> None:
    """Connections, those at night and from abroad, by department, country and product; who was not let in; alerts on the rules."""
    report = _report(city, "telework", START, "en")
    mine = [one for one in events if START <= one["at"] < END]
    came = [one for one in mine if _connected(one)]
    refused = [one for one in mine if one.get("event.action") in {"ssl-login-fail", "vpn-refused"}]
    night = sum(one["at"].hour in {22, 23, 0, 1, 2, 3, 4} for one in came)
    countries = Counter(
        one["source.geo.country_iso_code"] for one in came if one.get("source.geo.country_iso_code")
    )
    broken = [
        one
        for one in records("alert")
        if START <= _at(one["detected"]) < END and "MIC-6.2-(2)" in one["guideline"]
    ]
    abroad = sum(n for code, n in countries.items() if code != "JP")
    told = {"n": f"{len(came):,}", "night": f"{night:,}", "abroad": f"{abroad:,}", "alerts": len(broken)}
    assert report["summary"][:2] == [
        Texts("en")("telework.sum", **told),
        Texts("en")("telework.refused", n=f"{len(refused):,}"),
    ]
    departments, nations = _tables(report, "telework.where")
    own = Counter(one["user.staff.department"] for one in came if one.get("user.staff.department"))
    own["Department not known"] = len(came) - own.total()
    assert dict(departments) == {name: f"{n:,}" for name, n in own.items()}
    named = {"JP": "Japan", "RO": "Romania", "US": "United States"}
    wanted = {named[code]: f"{n:,}" for code, n in countries.items()}
    assert dict(nations) == wanted | {"Country not known": f"{len(came) - countries.total():,}"}
    through = Counter(one["event.dataset"] for one in came)
    assert sorted(int(n.replace(",", "")) for _, n in _tables(report, "telework.through")[0]) == sorted(
        through.values()
    )
    assert dict(_tables(report, "telework.broken")[0]) == {
        name: str(n) for name, n in Counter(one["title_en"] for one in broken).items()
    }


def _connected(one: Body) -> bool:
    if one["event.dataset"] == "fortinet.fortigate":
        return one["event.action"] == "tunnel-up" and one["event.code"] == "0101039424"
    return one["event.action"] == "vpn-connected"


def test_departments(city: City, events: list[Body], records: Callable[[str], list[Body]]) -> None:
    """Records, failed sign-ins, connections, use from abroad and alerts of each department; none of one with two people."""
    [rows] = _tables(_report(city, "department", START), "department.figures")
    for department, staff in STAFF.items():
        own = [
            one
            for one in events
            if one.get("user.staff.department") == department and START <= one["at"] < END
        ]
        people = {one["user.name"].casefold() for one in own}
        signed = [one for one in own if "authentication" in one["event.category"]]
        failed = sum(one["event.outcome"] == "failure" for one in signed)
        away = sum(
            one.get("source.geo.country_iso_code") not in {None, "JP"}
            and one["event.outcome"] != "failure"
            and "end" not in one["event.type"]
            for one in signed
        )
        alerts = [one for one in records("alert") if START <= _at(one["detected"]) < END]
        about = sum(
            bool(people & {name.casefold() for name in one["entities"].get("user.name", ())})
            for one in alerts
        )
        counts = [f"{n:,}" for n in (len(people), len(own), failed, sum(map(_connected, own)), away)] + [
            str(about)
        ]
        [row] = [row[1:] for row in rows if row[0] == department]
        few = [Texts("ja")("department.few", n=3), *["—"] * 5]
        assert row == (few if len(staff) < 3 else counts), department


def test_a_year(city: City) -> None:
    """The overview counts each control once, as its chapter's table shows it; the summary sums them up."""
    report, texts = _report(city, "annual-compliance", START), Texts("ja")
    states = [texts(f"control.{state}") for state in ("evidenced", "gap", "person", "excepted")]
    overview = {row[0]: row[1:] for row in _tables(report, "annual.overview")[0]}
    total = Counter[str]()
    for part in report["parts"]:
        if part["title"] in overview:
            found = Counter(
                row[2] for block in part["blocks"] if block["kind"] == "table" for row in block["rows"]
            )
            assert overview[part["title"]] == [*(str(found[state]) for state in states), str(found.total())]
            total += found
    assert total.total() == 60
    assert [str(total[state]) in report["summary"][0] for state in states] == [True] * 4
    gaps = [row for rows in _tables(report, "monthly.findings") for row in rows]
    assert len(gaps) == total[texts("control.gap")]
    assert date.fromisoformat(report["start"][:10]) <= START.date()
