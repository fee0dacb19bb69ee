"""The monthly report's changes are those that people really made: by the names that the audit log has for them, in the month."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import dashboards
from dashboards.reporting.document import Ingredients, Table
from dashboards.reports import monthly_committee
from dashboards.texts import catalogue
from responders.audit import KIND, Audit
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City

DAY = timedelta(days=1)


def _tables(city: City) -> list[Table]:
    """The counted changes, and the exceptions in force."""
    of = Ingredients(city.events, city.records, city.clock, "火の見市")
    made = monthly_committee.make(of, NOW, "ja")
    part = next(part for part in made.parts if part.title.startswith("ルール・例外・利用者の変更"))
    return [block for block in part.blocks if isinstance(block, Table)]


def test_an_exception_is_a_change_from_proposal_to_approval(own_city: City) -> None:
    """Proposed, refused to its own proposer, approved by another, and in force: all but the refusal are told."""
    analyst, office = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    assert not _tables(own_city)[0].rows
    analyst.post("/incidents/2/close", verdict="false_positive", reason="保守業者の予定作業")
    rule = str(own_city.records.find("alert", {"incident_id": "inc-2"})[0].body["rule_id"])
    analyst.post("/incidents/2/exceptions", rule=rule, reason="#2 を誤検知と判定したため")
    (held,) = own_city.records.find("tuning")
    assert analyst.post(f"/exceptions/{held.id}/review", decision="approve").status_code == 403
    office.post(f"/exceptions/{held.id}/review", decision="approve", note="確認した")
    changes, exceptions = _tables(own_city)
    assert [row for row in changes.rows if row[1].startswith("tuning")] == [
        ("検知の例外の承認", "tuning.approved", "1"),
        ("検知の例外の提案", "tuning.propose", "1"),
    ]
    (row,) = exceptions.rows
    assert "誤検知と判定した" in row[0] and row[2].startswith("2027-02-18 08:45")
    own_city.clock.advance(91 * DAY)
    assert not _tables(own_city)[1].rows  # over, so no longer in force


def test_maintenance_quarantine_and_looks_count_in_their_month_alone(own_city: City) -> None:
    """What happened on the first of the next month is another month's."""
    audit = own_city.desk.audit
    browser(own_city, "m.kato").post("/reveal", scope="search", reason="件数の確認のため", back="/search")
    window = {"actor": "k.mori", "roles": ["information_system_manager"]}
    own_city.desk.roster.plan_maintenance(
        "更新",
        NOW + DAY,
        NOW + DAY * 2,
        {"host.name": "a"},
        **window,  # type: ignore[arg-type]
    )
    audit.append(actor="hinomi", action="rules.quarantine", target="r")
    own_city.clock.advance(30 * DAY)
    audit.append(actor="hinomi", action="rules.release", target="r")
    found = {row[1] for row in _tables(own_city)[0].rows}
    assert {"console.reveal", "oncall.maintenance", "rules.quarantine"} <= found
    assert "rules.release" not in found


@pytest.mark.parametrize("lost", [(), (1, 2, 150, 151, 299), range(100, 200)])
def test_a_period_of_the_log_is_found_from_its_beginning(bare_city: City, lost: Iterator[int]) -> None:
    """The same entries as reading all of it, with entries missing and a clock that jumps by hours, too."""
    start = NOW - 300 * DAY
    for number in range(1, 301):
        jump = timedelta(hours=5 if number % 7 else -5)
        body = {"at": (start + number * DAY + jump).isoformat(), "action": "x", "number": number}
        if number not in lost:
            bare_city.records.put(KIND, f"{number:012d}", body)
    every = bare_city.records.find(KIND, limit=1000)
    for first, last in ((0, 400), (-5, 3), (120, 151), (295, 310), (310, 320), (149, 150)):
        since, until = start + first * DAY, start + last * DAY
        wanted = [one.id for one in every if since.isoformat() <= one.body["at"] < until.isoformat()]
        found = Audit(bare_city.records, bare_city.clock).between(since, until)
        assert [one.id for one in found] == wanted


def test_each_name_begins_one_that_is_written(bare_city: City) -> None:
    """Each beginning that the report looks for begins an action in a call that writes the audit log."""
    written = set(_actions())
    assert "tuning.propose" in written and "rules.quarantine" in written
    for name in monthly_committee.CHANGES:
        assert any(action.startswith(name) for action in written), name
    told = {one for one in written if one.startswith(monthly_committee.CHANGES) and not one.endswith(".")}
    assert told - {"tuning.review"} <= {
        key.removeprefix("action.") for key in catalogue()
    }  # review: refusals alone


def _actions() -> Iterator[str]:
    """The actions that the code gives to the audit log, as far as they are written out."""
    root = Path(dashboards.__file__).parents[1]
    for room in ("responders", "dashboards", "ops"):
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from filter(None, map(_literal, _action_of(node)))


def _action_of(call: ast.Call) -> Iterator[ast.expr]:
    yield from (one.value for one in call.keywords if one.arg == "action")
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = {"_audit": 1, "_note": 1, "worker": 2, "any_office": 2}.get(name)
    if place is not None and len(call.args) > place:
        yield call.args[place]


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
