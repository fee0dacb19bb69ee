"""Drills and trainings on their page and by the API: recorded by whoever works on incidents, seen by all, evidence of clause 5.2."""

import json

import pytest

from dashboards.users import Role
from hinomi.identity import digest
from responders.exercises import KIND, Exercise
from tests.dashboards.browse import browser
from tests.dashboards.city import PASSWORD, City
from tests.dashboards.test_api import _call, _token

FORM = {
    "what": "drill",
    "on": "2026-11-19",
    "title": "夜間の机上訓練",
    "people": "総務課 12人\r\n\r\n副市長(CISO)\r\n",
    "result": "連絡まで 4 分",
}


def test_recorded_corrected_and_judged(own_city: City) -> None:
    """The page says that 5.2 is a gap until a drill is recorded, then who took part; recorded once more it is corrected, and the
    report that the drill itself wrote stays; a damaged record hides none of the others."""
    analyst = browser(own_city, "m.kato")
    assert "5.2 が不足" in analyst.get("/exercises").text
    assert analyst.post("/exercises", **FORM).headers["location"] == "/exercises?done=exercise_added"
    [held] = own_city.records.find(KIND)
    own_city.records.put(KIND, held.id, {**held.body, "report": "ab" * 32}, expect=held.version)
    own_city.records.put(KIND, "damaged", {"on": "2026-11-01"})
    assert analyst.post("/exercises", **FORM | {"result": "連絡まで <b>5</b> 分"}).status_code == 303
    page = analyst.get("/exercises").text
    for said in (
        "1年以内に訓練があります",
        "夜間の机上訓練",
        "総務課 12人、副市長(CISO)",
        "&lt;b&gt;5&lt;/b&gt;",
        "abababababab…",
    ):
        assert said in page, said
    again = own_city.records.get(KIND, held.id)
    assert again is not None and again.read_as(Exercise).people == ["総務課 12人", "副市長(CISO)"]
    assert [one["details"]["title"] for one in analyst.audited("exercise.add")] == ["夜間の机上訓練"] * 2
    assert (
        "A drill" not in page and "There was a drill within a year" in analyst.get("/exercises?lang=en").text
    )
    assert 'href="/exercises"' in analyst.get("/compliance").text


def test_a_correction_hides_nothing(own_city: City) -> None:
    """A training entered as a drill becomes one by entering it again, and 5.2 is a gap as before; the audit log holds what was said
    first, the names, result and kind, and what is said now. Two records of one day and title, as an earlier version wrote them,
    become one."""
    analyst = browser(own_city, "m.kato")
    for kind in ("drill", "training"):
        old = {
            "on": FORM["on"],
            "what": kind,
            "title": FORM["title"],
            "people": ["誤り"],
            "report": "cd" * 32,
        }
        identity = digest(KIND, FORM["on"], kind, FORM["title"])
        own_city.records.put(KIND, identity, {**old, "by": "m.kato", "at": "2026-11-19T10:00:00+09:00"})
    assert analyst.post("/exercises", **FORM).status_code == 303
    assert "1年以内に訓練があります" in analyst.get("/exercises").text
    now = {"what": "training", "people": "総務課 11人", "result": "やり直し"}
    assert analyst.post("/exercises", **FORM | now).status_code == 303
    [held] = own_city.records.find(KIND)
    assert (held.body["what"], held.body["report"]) == ("training", "cd" * 32)
    assert "5.2 が不足" in analyst.get("/exercises").text
    entries = own_city.records.find("audit", {"action": "exercise.add"}, order="number")
    first, second = [one.body["details"] for one in entries]
    assert [(one["what"], one["people"]) for one in first["before"]] == [
        ("drill", ["誤り"]),
        ("training", ["誤り"]),
    ]
    [before] = second["before"]
    for said, kind, people, result in (
        (before, "drill", ["総務課 12人", "副市長(CISO)"], "連絡まで 4 分"),
        (second, "training", ["総務課 11人"], "やり直し"),
    ):
        assert (said["what"], said["people"], said["result_ja"]) == (kind, people, result)


def test_who_may_and_what_is_refused(own_city: City) -> None:
    """Whoever may only look has no form and is refused; a day ahead, no day, no kind, nobody: nothing is recorded."""
    own_city.users.create("v.looks", PASSWORD, [Role.VIEWER])
    viewer, analyst = browser(own_city, "v.looks"), browser(own_city, "m.kato")
    assert 'action="/exercises"' not in viewer.get("/exercises").text
    assert viewer.post("/exercises", **FORM).status_code == 403
    for wrong in (
        {"on": "2999-01-01"},
        {"on": ""},
        {"what": "party"},
        {"people": " \r\n"},
        {"title": "a\nb"},
    ):
        assert analyst.post("/exercises", **FORM | wrong).status_code == 400, wrong
    assert own_city.records.count(KIND) == 0


def test_by_the_api(own_city: City) -> None:
    """The same by a token."""
    secret = _token(own_city, "m.kato")
    body = {"what": "training", "on": "2026-04-02", "title": "新任研修", "people": ["8人"]}
    assert _call(own_city, secret, "POST", "/exercises", json=body).status_code == 200
    [held] = _call(own_city, secret, "GET", "/exercises").json()["items"]
    assert (held["title"], held["what"], held["people"]) == ("新任研修", "training", ["8人"])


@pytest.mark.parametrize(
    ("name", "scopes", "sees", "looks"),
    [
        ("v.looks", ("read", "work"), (), 200),
        ("m.kato", ("read",), (), 200),
        ("e.azuma", ("read", "work"), ("higashi",), 403),
    ],
)
def test_whose_token_records_nothing(
    own_city: City, name: str, scopes: tuple[str, ...], sees: tuple[str, ...], looks: int
) -> None:
    """Of whoever may only look, one that only reads, and of an analyst of one organisation, who does not see the tower's: refused,
    nothing is recorded, and the audit log says so."""
    own_city.users.create("v.looks", PASSWORD, [Role.VIEWER])
    own_city.users.create("e.azuma", PASSWORD, [Role.ANALYST], organizations=["higashi"])
    found = own_city.users.find(name)
    assert found is not None and tuple(found.organizations) == sees
    secret = _token(own_city, name, *scopes)
    body = {"what": "training", "on": "2026-04-02", "title": "新任研修", "people": ["8人"]}
    assert _call(own_city, secret, "POST", "/exercises", json=body).status_code == 403
    assert _call(own_city, secret, "GET", "/exercises").status_code == looks
    assert own_city.records.count(KIND) == 0
    assert [one["actor"] for one in browser(own_city).audited("api.refused")] == [name]


def test_what_the_schema_promises_is_taken(own_city: City) -> None:
    """Two thousand people of two hundred signs, every sign of the title and result used, however the client writes them; one sign
    more is refused."""
    secret, on = _token(own_city, "m.kato"), "2026-04-02"
    most = {"what": "training", "on": on, "title": "\U00020bb7" * 200, "people": ["\U00020bb7" * 200] * 2000}
    content = json.dumps({**most, "result": "\U00020bb7" * 2000})
    assert _call(own_city, secret, "POST", "/exercises", content=content).status_code == 200
    [held] = own_city.records.find(KIND)
    assert [len(one) for one in held.body["people"]] == [200] * 2000
    for wrong in ({"title": "題" * 201}, {"people": ["名" * 201]}, {"people": ["名"] * 2001}):
        answer = _call(own_city, secret, "POST", "/exercises", json={**most, "people": ["8人"], **wrong})
        assert answer.status_code == 400 and "the body is not valid" in answer.text, wrong
