"""Nobody overwrites another unseen: whoever saves over a change since made gets both texts, and saves once they have read them."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from dashboards.reporting.document import Ingredients, Table
from dashboards.reports import monthly_committee
from dashboards.tokens import Tokens
from dashboards.users import Role
from responders.audit import Audit
from responders.duties.duty import duties
from tests.dashboards.browse import browser, token
from tests.dashboards.city import NOW, City
from tests.dashboards.test_api import _call

DUTY = next(iter(duties()))
DRAFT = f"/incidents/1/duties/{DUTY}"


def _drafted(city: City) -> tuple[str, str, str]:
    """The clock's id and the keys of two items of its draft's first version."""
    clock = city.desk.clocks.start(
        "inc-1", DUTY, NOW - timedelta(hours=2), "当番が確認", actor="k.mori", roles=["ciso"]
    )
    made = city.desk.reports.draft(clock.id, actor="k.mori", roles=["ciso"])
    first, second, *_ = made.body["fields"]
    return clock.id, first, second


def _typed(page: str) -> dict[str, str]:
    """What the draft's form sends as it was opened."""
    areas = re.findall(r'name="(item-[^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    return {name: unescape(text) for name, text in areas} | {"version": token(page, "version")}


def test_a_draft_is_not_overwritten_unseen(own_city: City) -> None:
    """Two people open the same version; the second to save is shown both texts of what both changed, keeps what only the other
    changed, and saves their own over it once they have seen it."""
    clock, one, other = _drafted(own_city)
    first, second = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    opened, too = _typed(first.get(DRAFT).text), _typed(second.get(DRAFT).text)
    theirs = {f"item-{one}": "加藤の文", f"item-{other}": "加藤の追記"}
    assert first.post(f"{DRAFT}/edit", **{**opened, **theirs}).status_code == 303
    answer = second.post(f"{DRAFT}/edit", **{**too, f"item-{one}": "森の<b>文"})
    assert answer.status_code == 409
    assert "加藤の文" in answer.text and "森の&lt;b&gt;文" in answer.text and "加藤の追記" not in answer.text
    assert own_city.desk.reports.latest(clock).body["version"] == 2  # type: ignore[union-attr]
    assert second.post(f"{DRAFT}/edit", **_typed(answer.text)).status_code == 303
    latest = own_city.desk.reports.latest(clock).body  # type: ignore[union-attr]
    assert (latest["version"], latest["by"]) == (3, "k.mori")
    assert (latest["fields"][one], latest["fields"][other]) == ("森の<b>文", "加藤の追記")


def test_the_api_asks_for_the_version_too(own_city: City) -> None:
    """Without it 400, with one that is not the newest 409 and nothing saved."""
    clock, one, _ = _drafted(own_city)
    secret = Tokens(own_city.records, own_city.clock).make("m.kato", "試験", ("read", "work"), 30)
    assert _call(own_city, secret, "POST", f"{DRAFT}/edit", json={"fields": {one: "x"}}).status_code == 400
    body = {"fields": {one: "x"}, "version": 1}
    assert _call(own_city, secret, "POST", f"{DRAFT}/edit", json=body).status_code == 200
    assert _call(own_city, secret, "POST", f"{DRAFT}/edit", json=body).status_code == 409
    assert len(own_city.desk.reports.versions(clock)) == 2


def test_what_is_said_of_a_control_is_not_overwritten_unseen(own_city: City) -> None:
    """Two offices judge the same control; the second is shown both grounds, also where it only names who is in charge."""
    first, second = browser(own_city, "k.mori"), browser(own_city, "y.ota")
    control = "/compliance/MIC-5.2"
    said = {"said": "done", "note": "受講記録 2026年6月", "owner": "総務課", "version": "0"}
    assert first.post(control, **said).status_code == 303
    answer = second.post(control, **{**said, "said": "gap", "note": "名簿がない", "due": "2026-12-31"})
    assert answer.status_code == 409
    assert "受講記録 2026年6月" in answer.text and "名簿がない" in answer.text and "k.mori" in answer.text
    assert second.post(control, said="assign", owner="情報課", version="0").status_code == 409
    again = {name: token(answer.text, name) for name in ("said", "owner", "due", "version")}
    assert second.post(control, **again, note="名簿がない").status_code == 303
    assert own_city.records.get("attestation", "MIC-5.2").body["note"] == "名簿がない"  # type: ignore[union-attr]


def test_roles_are_not_overwritten_unseen(own_city: City) -> None:
    """An administrator whose page shows roles of before is told what another has set since."""
    admin = browser(own_city, "s.kanri")
    page = admin.get("/admin/users").text
    before = re.search(r'action="/admin/users/m.kato".*?name="before" value="([^"]*)"', page, re.DOTALL)
    assert before and before[1] == "analyst"
    own_city.users.set_roles("m.kato", ["viewer"])
    answer = admin.post("/admin/users/m.kato", do="roles", role=Role.ANALYST.value, before=before[1])
    assert answer.status_code == 409 and "閲覧者" in answer.text and "監視担当" in answer.text
    assert own_city.users.find("m.kato").roles == ["viewer"]  # type: ignore[union-attr]
    again = {name: token(answer.text, name) for name in ("do", "role", "before")}
    assert admin.post("/admin/users/m.kato", **again).status_code == 303
    assert own_city.users.find("m.kato").roles == ["analyst"]  # type: ignore[union-attr]


def test_a_sign_in_in_the_same_moment_is_no_change_of_roles(
    own_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else of the person is written between the reading and the writing: the roles are set all the same, and it stands."""
    admin, store = browser(own_city, "s.kanri"), type(own_city.records)
    put = store.put

    def between(self: Any, kind: str, *given: Any, **more: Any) -> Any:
        if kind == "user":
            monkeypatch.undo()
            own_city.users.change("m.kato", {"keys": False})
        return put(self, kind, *given, **more)

    monkeypatch.setattr(store, "put", between)
    answer = admin.post("/admin/users/m.kato", do="roles", role=Role.VIEWER.value, before="analyst")
    assert answer.status_code == 303
    now = own_city.users.find("m.kato")
    assert now is not None and (now.roles, now.keys) == (["viewer"], False)
    assert not own_city.records.find("audit", {"action": "user.roles.refused"})


@pytest.mark.parametrize(
    ("what", "theirs", "mine"),
    [
        ("assign", {"assignee": "k.mori"}, {"assignee": "y.ota"}),
        ("grade", {"grade": "1", "reason": "保守作業だった"}, {"grade": "2", "reason": "範囲が広い"}),
    ],
)
def test_grade_and_assignee_are_not_overwritten_unseen(
    own_city: City, what: str, theirs: dict[str, str], mine: dict[str, str]
) -> None:
    """Whoever decides on a page of before is shown what a colleague has decided since, and decides once they have seen it."""
    first, second = browser(own_city, "k.mori"), browser(own_city, "m.kato")
    page, address = second.get("/incidents/1").text, f"/incidents/1/{what}"
    opened = re.search(rf'action="{address}".*?name="before" value="([^"]*)"', page, re.DOTALL)
    assert opened is not None
    assert first.post(address, **theirs, before=opened[1]).status_code == 303
    answer = second.post(address, **mine, before=opened[1])
    assert answer.status_code == 409 and all(text in answer.text for text in mine.values())
    name, value = next(iter(theirs.items()))
    assert str(own_city.records.find("incident", {"number": 1})[0].body[name]) == value
    again = {field: token(answer.text, field) for field in ("before", *mine)}
    assert second.post(address, **again).status_code == 303
    assert str(own_city.records.find("incident", {"number": 1})[0].body[name]) == mine[name]


def test_a_queue_of_before_takes_nothing_from_anybody(own_city: City) -> None:
    """Of two that are ticked one was given to a colleague since: it is left to them and named, the other one is assigned."""
    visitor = browser(own_city, "m.kato")
    ticks = dict(re.findall(r'name="number" value="((\d+):[^"]*)"', visitor.get("/?view=all").text))
    one, three = (next(value for value, number in ticks.items() if number == n) for n in ("1", "3"))
    own_city.desk.assign("inc-3", "k.mori", actor="k.mori", roles=["information_system_manager"])
    answer = visitor.post_many(
        "/bulk", [("number", one), ("number", three)], do="assign", assignee="y.ota", back="/?view=all"
    )
    found = own_city.records.find("incident", {"number": [1, 3]}, order="number")
    assert [held.body["assignee"] for held in found] == ["y.ota", "k.mori"]
    told = re.search(r'<p class="told".*?</p>', visitor.get(answer.headers["location"]).text, re.DOTALL)
    assert told is not None and re.findall(r'href="/incidents/(\d+)"', told[0]) == ["3"]


@pytest.mark.parametrize(
    ("what", "theirs", "mine"),
    [
        ("assign", {"assignee": "k.mori"}, {"assignee": "y.ota"}),
        ("grade", {"grade": 1, "reason": "保守作業だった"}, {"grade": 2, "reason": "範囲が広い"}),
    ],
)
def test_a_program_that_says_what_it_read_overwrites_nobody(
    own_city: City, what: str, theirs: dict[str, Any], mine: dict[str, Any]
) -> None:
    """By the API, too: with what was read it is refused where a colleague has decided since; without, it is set as ever."""
    secret = Tokens(own_city.records, own_city.clock).make("m.kato", "連携", ["read", "work"], 30)
    name = next(iter(theirs))
    read = _call(own_city, secret, "GET", "/incidents/1").json()[name]

    def post(**body: Any) -> tuple[int, Any]:
        answer = _call(own_city, secret, "POST", f"/incidents/1/{what}", json=body)
        return answer.status_code, own_city.records.find("incident", {"number": 1})[0].body[name]

    assert post(**theirs, before=read) == (200, theirs[name])
    assert post(**mine, before=read) == (409, theirs[name])
    assert post(**mine, before=theirs[name]) == (200, mine[name])
    assert post(**theirs) == (200, theirs[name])


@pytest.mark.parametrize(
    ("address", "form", "theirs", "refused"),
    [
        ("/incidents/1/assign", {"assignee": "y.ota"}, "担当: k.mori", "incident.assign.refused"),
        ("/incidents/1/grade", {"grade": "0", "reason": "範囲が広い"}, "段階を 1", "incident.level.refused"),
        ("/admin/users/m.kato", {"do": "roles", "role": "analyst"}, "閲覧者", "user.roles.refused"),
    ],
)
def test_of_two_in_the_same_moment_the_second_is_shown_the_first(
    own_city: City,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    form: dict[str, str],
    theirs: str,
    refused: str,
) -> None:
    """Both pages are as they were, and another's word is written between the comparison and the writing: it stands, and is shown."""
    mine = browser(own_city, "s.kanri" if "admin" in address else "m.kato")
    page = mine.get("/admin/users" if "admin" in address else "/incidents/1").text
    opened = re.search(rf'action="{address}".*?name="before" value="([^"]*)"', page, re.DOTALL)
    assert opened is not None
    append, work = Audit.append, {"actor": "k.mori", "roles": ["information_system_manager"]}

    def between(self: Audit, **entry: Any) -> Any:
        if entry["action"] in {"incident.assign", "incident.level", "user.roles"}:
            monkeypatch.undo()
            if "admin" in address:
                own_city.users.set_roles("m.kato", ["viewer"])
            elif "assign" in address:
                own_city.desk.assign("inc-1", "k.mori", **work)
            else:
                own_city.desk.regrade("inc-1", 1, "保守作業だった", **work)
        return append(self, **entry)

    monkeypatch.setattr(Audit, "append", between)
    answer = mine.post(address, **form, before=opened[1])
    assert answer.status_code == 409
    lines = [line["ja"] for line in own_city.records.find("incident", {"number": 1})[0].body["timeline"]]
    assert theirs in answer.text or any(theirs in line for line in lines)
    assert own_city.users.find("m.kato").roles == (["viewer"] if "admin" in address else ["analyst"])  # type: ignore[union-attr]
    (told,) = own_city.records.find("audit", {"action": refused})
    if "admin" in address:  # the committee does not read of a change that never was
        assert own_city.records.get("audit", told.body["details"]["of"]).body["action"] == "user.roles"  # type: ignore[union-attr]
        of = Ingredients(own_city.events, own_city.records, own_city.clock, "火の見市")
        made = monthly_committee.make(of, NOW, "ja")
        tables = [block for part in made.parts for block in part.blocks if isinstance(block, Table)]
        assert not any("user.roles" in cell for table in tables for row in table.rows for cell in row)
