"""Drills and trainings on their page and by the API: recorded by whoever works on incidents, seen by all, evidence of clause 5.2."""

from dashboards.users import Role
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
