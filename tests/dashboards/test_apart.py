"""Two towns on one tower: whoever sees one of them finds nothing of the other, on no page, in no file, by no token."""

import asyncio
import difflib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.api.table import ENDPOINTS
from dashboards.console import live
from dashboards.console.access import Access, Page
from dashboards.console.app import PAGES
from dashboards.console.rooms import ROOMS
from dashboards.records_apart import RecordsApart
from dashboards.reporting import catalogue
from dashboards.reporting.document import Ingredients
from dashboards.tokens import Tokens
from hinomi.errors import InputError, QueryError, Refused
from hinomi.store.apart import EventsApart
from hinomi.words import Language
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import PASSWORD, City
from tests.dashboards.two_towns import DUTY, EAST, MARK, ORGANIZATIONS, WEST, Planted, foreign, two_towns

Towns = tuple[City, dict[str, Planted]]
FOREIGN = (MARK[WEST], MARK[""], "w.nishi")
"""Nothing of this may reach somebody of the east."""
ENDS_SESSION = {"/sign-out", "/account/password"}
QUERIES = {
    "/": ("", "view=all", "view=closed", "q=WESTMARK"),
    "/search": ("range=all", "range=all&q=10.0.0.1&field=user.name", "range=all&field=hinomi.organization"),
    "/search/complete": ("q=user.name: &at=11&range=all", "q=lab&at=3", "q=event.dataset: &at=15&range=all"),
    "/search/around": ("id={event}&dataset=fortinet.fortigate&at={at}",),
    "/search/export.csv": ("range=all",),
    "/search/export.ndjson": ("range=all", "range=all&q=not nothing: x or user.name: *"),
    "/incidents/{number:int}": ("", "alert={alert}"),
    "/events": ("", "q=source.ip: 10.0.0.1", "dataset=hinomi.signal", "dataset=city.westmark"),
    "/incidents": ("limit=500",),
}
THINGS = ("task", "piece", "run", "approval", "alert", "exception", "view", "event")
MISSING = Planted("", 9999, dict.fromkeys(THINGS, "no-such-thing"))


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """Both towns, once for tests whose person of the east may try whatever they like."""
    city, planted = two_towns(tmp_path_factory.mktemp("towns"))
    yield city, planted
    city.close()


@pytest.fixture(autouse=True)
def _streams_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONGEST", 0.05)


def _of(city: City, name: str) -> Browser:
    return browser(city, name, organizations=ORGANIZATIONS)


def _address(path: str, aim: Planted) -> str:
    def part(match: re.Match[str]) -> str:
        name = match.group(1)
        known = {"number": str(aim.number), "index": "0", "kind": "pdf", "duty": DUTY, **aim.ids}
        return known.get(name, "no-such-thing")

    return re.sub(r"\{(\w+)(?::int)?\}", part, path)


def _queries(path: str, aim: Planted) -> list[str]:
    known = {"event": aim.ids["event"], "alert": aim.ids["alert"], "at": "2026-11-19T23:45:00%2B00:00"}
    return [query.format(**known) for query in QUERIES.get(path, ("",))]


def _form(aim: Planted) -> dict[str, str]:
    """Whatever any form of the console may ask for, aimed at what is of that town."""
    words = dict.fromkeys(
        ["text", "reason", "title", "note", "whom", "what", "why", "origin", "name", "how", "answer"],
        f"{MARK[EAST]} 試し",
    )
    return {
        **words,
        "assignee": "e.azuma",
        "verdict": "benign",
        "grade": "1",
        "decision": "approve",
        "way": "phone",
        "playbook": "lost_device",
        "key": "k",
        "number": str(aim.number),
        "other": str(aim.number),
        "alert": aim.ids["alert"],
        "address": f"/?q={MARK[EAST]}",
        "scope": f"incident:{aim.number}",
        "until": "2026-11-22T10:00",
        "known": "2026-11-20T07:00",
        "start": "2026-11-20T10:00",
        "end": "2026-11-21T10:00",
        "do": "acknowledge",
        "back": "/",
        "version": "1",
        "rule": "rule-nishi-9",
        "token": "none",
        "session": "none",
    }


def _text(answer: httpx.Response) -> str:
    """Everything that the answer holds, files of an archive included."""
    content = answer.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(
                [*map(str.encode, archive.namelist()), *map(archive.read, archive.namelist())]
            )
    return content.decode("utf-8", "replace") + str(answer.headers)


def _found(text: str) -> list[str]:
    """Foreign marks in an answer, but for the one that the reader typed into the box."""
    echoed = text.replace("q=WESTMARK", "").replace('value="WESTMARK"', "")
    return [mark for mark in FOREIGN if mark in echoed]


def _plain(text: str, aim: Planted) -> str:
    """The answer without what was asked for itself and what differs each time."""
    named = sorted(
        {*aim.ids.values(), "no-such-thing", DUTY, f"/{aim.number}", f"%2F{aim.number}"} - {""},
        key=len,
        reverse=True,
    )
    for name in named:
        text = text.replace(name, "…")
    once = r'(name="(csrf|key)" value="[^"]+")|(content-length\W+\d+)|([A-Z2-7]{4} ){8}|secret=\w+|hinomi_[\w-]{40,}'
    return re.sub(once, "", text)


def _ask(visitor: Browser, page: Page, aim: Planted) -> list[httpx.Response]:
    address = _address(page.path, aim)
    if page.method == "POST":
        return [visitor.post(address, **_form(aim))]
    return [
        visitor.get(f"{address}?{query}&lang={language}")
        for query in _queries(page.path, aim)
        for language in ("ja", "en")
    ]


WALKED = [page for page in PAGES if page.access is not Access.OPEN and page.path not in ENDS_SESSION]


def test_no_page_shows_or_changes_what_is_anothers(tmp_path: Path) -> None:
    """As every role at once, but of one town: each page and form, aimed at the other town's things, answers as if they
    had never been, in the same words; and they stand as they stood."""
    city, planted = two_towns(tmp_path)
    visitor, before = _of(city, "e.azuma"), foreign(city)
    assert len(before) > 30
    wrong: list[str] = []
    for page in WALKED:
        theirs, never = _ask(visitor, page, planted[WEST]), _ask(visitor, page, MISSING)
        for one, other in zip(theirs, never, strict=True):
            text, plain = _text(one), (_plain(_text(one), planted[WEST]), _plain(_text(other), MISSING))
            found = _found(text)
            if (
                found
                or one.status_code != other.status_code
                or one.status_code >= 500
                or plain[0] != plain[1]
            ):
                wrong.append(f"{page.method} {page.path} {one.status_code} {other.status_code} {found}")
                wrong += list(difflib.unified_diff(plain[1].split("\n"), plain[0].split("\n"), n=0))[:8]
    assert not wrong, "\n".join(wrong)
    assert foreign(city) == before
    city.close()


def test_the_walk_would_find_it(towns: Towns) -> None:
    """The same addresses, asked by somebody of the tower, show the western town nearly everywhere: the walk sees."""
    city, planted = towns
    visitor = _of(city, "c.chuo")
    seen = {
        page.path
        for page in WALKED
        if page.method == "GET"
        and any(MARK[WEST] in _text(one) for one in _ask(visitor, page, planted[WEST]))
    }
    assert {*QUERIES} - {"/events", "/incidents"} <= seen | {"/search/sigma"}
    assert "/incidents/{number:int}/evidence.zip" in seen and "/sources" in seen


def test_one_sees_ones_own(towns: Towns) -> None:
    """Of their own town nothing is missing: queue, incident, search, histogram, export, sources, dead letters."""
    city, planted = towns
    visitor, own = _of(city, "e.azuma"), planted[EAST]
    for page in WALKED:
        if page.method == "GET" and page.apart and page.path in {*QUERIES, "/sources"}:
            answers = _ask(visitor, page, own)
            assert all(one.status_code == 200 for one in answers), page.path
            assert any(MARK[EAST] in _text(one) for one in answers), page.path
            assert not [mark for one in answers for mark in _found(_text(one))], page.path
    shown = visitor.get(f"/incidents/{own.number}").text
    for part in (
        f"{MARK[EAST]} を確かめる",
        f"{MARK[EAST]}.bin",
        f"{MARK[EAST]} 県",
        f"raw {MARK[EAST]} line 0",
    ):
        assert part in shown, part
    assert "#1101" in shown and "#2102" not in shown  # the precedent of the same town, not of the other


def test_what_is_the_towers_is_refused(towns: Towns) -> None:
    """Pages that cannot be told apart are refused in words, whatever the roles; the head does not lead there."""
    city, planted = towns
    visitor = _of(city, "e.azuma")
    for page in WALKED:
        answers = _ask(visitor, page, planted[EAST]) if not page.apart else []
        assert all(one.status_code == 403 for one in answers), page.path
    head = visitor.get("/").text
    apart = {room.address for room in ROOMS if room.apart}
    assert {room.address for room in ROOMS if f'<a href="{room.address}"' in head} == apart
    assert {page.path for page in PAGES if page.apart and page.method == "GET"} >= apart


def _call(city: City, secret: str, method: str, path: str, body: Any = None) -> httpx.Response:
    from dashboards.console.app import create_app

    app = create_app(
        city.events, city.records, city.desk, clock=city.clock, users=city.users, organizations=ORGANIZATIONS
    )

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
            headers = {"authorization": f"Bearer {secret}"}
            return await client.request(method, f"/api/v1{path}", headers=headers, json=body)

    return asyncio.run(ask())


BODIES: dict[str, dict[str, Any]] = {
    "Assign": {"assignee": "e.azuma"},
    "Comment": {"text": "x"},
    "Close": {"verdict": "benign", "reason": "x"},
    "Reason": {"reason": "x"},
    "Grade": {"grade": 1, "reason": "x"},
    "Decision": {"decision": "approve"},
    "Task": {"title": "x"},
    "Merge": {"others": [2002], "reason": "x"},
    "Split": {"alerts": ["alert-nishi-0"], "reason": "x"},
    "Open": {"title": MARK[EAST], "what": "x", "known": "2026-11-20T07:00:00+09:00", "key": "k"},
    "Start": {"playbook": "lost_device", "targets": {"user.name": ["x"]}},
    "Told": {"whom": "x", "what": "x", "way": "phone"},
    "Known": {"known": "2026-11-20T07:00:00+09:00", "why": "x"},
    "Why": {"why": "x"},
    "Fields": {"fields": {"outline": "x"}},
    "Version": {"version": 1},
    "Sent": {"version": 1, "how": "x", "at": "2026-11-20T07:00:00+09:00"},
    "Evidence": {"name": "x", "origin": "x", "content": "eA=="},
    "Note": {"note": "x"},
    "Quiet": {"rule_id": "rule-nishi-9", "reason": "x", "until": "2026-11-22T07:00:00+09:00"},
    "Review": {"decision": "approve"},
    "Answer": {"answer": "x"},
    "First": {"reason": "x"},
    "Until": {"reason": "x", "until": "2026-11-22T07:00:00+09:00"},
    "Reveal": {"scope": "incident:2002", "reason": "x" * 5},
}


@pytest.mark.parametrize(("user", "narrowed"), [("e.azuma", []), ("c.chuo", [EAST])])
def test_no_call_shows_or_changes_what_is_anothers(tmp_path: Path, user: str, narrowed: list[str]) -> None:
    """By a token of somebody of one town, or by one that somebody of the tower narrowed to it: the same of the API."""
    city, planted = two_towns(tmp_path)
    secret = Tokens(city.records, city.clock).make(
        user, "試験", ("read", "work", "approve"), 3, organizations=narrowed
    )
    before, shown = foreign(city), ""
    for endpoint in ENDPOINTS:
        given = BODIES.get(endpoint.given.__name__, {}) if endpoint.given else None
        for query in _queries(endpoint.path, planted[WEST]):
            paths = [_address(endpoint.path, aim) for aim in (planted[WEST], MISSING)]
            theirs, never = (
                _call(city, secret, endpoint.method, f"{path}?{query}".rstrip("?"), given) for path in paths
            )
            told = f"{endpoint.method} {endpoint.path} {theirs.status_code} {theirs.text[:200]}"
            assert not [mark for mark in FOREIGN if mark in theirs.text], told
            assert (theirs.status_code, theirs.text) == (never.status_code, never.text), told
            assert endpoint.apart or theirs.status_code == 403, told
            shown += theirs.text
    assert shown.count(MARK[EAST]) > 20
    mixed = _call(city, secret, "POST", "/incidents/1001/merge", {"others": [2002], "reason": "x"})
    assert mixed.status_code == 400 and MARK[WEST] not in mixed.text
    assert foreign(city) == before
    city.close()


def test_tokens_give_no_more_than_either(towns: Towns) -> None:
    """A token of one town in the name of somebody of the other sees nothing at all, rather than everything."""
    city, _ = towns
    secret = Tokens(city.records, city.clock).make("e.azuma", "試験", ("read",), 3, organizations=[WEST])
    assert _call(city, secret, "GET", "/incidents").json()["items"] == []
    found = _call(city, secret, "GET", "/events").json()
    assert (found["items"], found["total"]) == ([], 0)


def test_live_updates_tell_nothing_of_another(tmp_path: Path) -> None:
    """The pulse moves with one's own town and stands still while the other's changes."""
    city, planted = two_towns(tmp_path)
    who: Any = {"actor": "c.chuo", "roles": ["ciso"]}

    def pulse() -> str:
        return _of(city, "e.azuma").get("/live").text.partition("\n")[0]

    first = pulse()
    city.desk.comment(planted[WEST].ids["incident_id"], "x", **who)
    assert pulse() == first
    city.desk.comment(planted[EAST].ids["incident_id"], "x", **who)
    assert pulse() != first
    city.close()


def test_queries_cannot_leave_the_condition(towns: Towns) -> None:
    """A query that tries to close the bracket before its time is no query; none that is one finds anything else."""
    city, _ = towns
    own = EventsApart(city.events, [EAST])
    for query in ("x) or (event.id: *", "x) or event.id: * or (y", '" or event.id: *', ")", "(", "x or"):
        with pytest.raises(QueryError):
            own.search(query)
    for query in (
        "event.id: *",
        "not x or event.id: *",
        f"hinomi.organization: {WEST} or event.id: *",
        "not x",
    ):
        rows = own.search(query, limit=100).rows
        assert rows and {row["hinomi.organization"] for row in rows} == {EAST}
    with pytest.raises(Refused):
        own.append([])


def test_unknown_kinds_are_not_there(towns: Towns) -> None:
    """A kind of record that nobody has said whose it is can neither be read nor written."""
    city, _ = towns
    own = RecordsApart(city.records, frozenset({EAST}))
    city.records.put("something_new", "1", {"organization": EAST, "incident_id": f"inc-{EAST}"})
    assert own.get("something_new", "1") is None
    assert own.find("something_new") == [] and own.count("something_new") == 0
    with pytest.raises(InputError):
        own.put("something_new", "2", {})
    with pytest.raises(InputError):  # nobody gives away what is theirs, or makes something another's
        own.put("incident", f"inc-{EAST}", {"organization": WEST})
    with pytest.raises(InputError):
        own.put("user", "e.azuma", {"organizations": []})
    with pytest.raises(Refused):
        own.last("audit")


def test_the_administrator_says_whose_things_are_seen(tmp_path: Path) -> None:
    """On the users page: towns or everything, never nothing ticked and never a town that there is not; it counts from the
    next request on and is audited; nobody widens what they see themselves, and a token only narrows."""
    city, planted = two_towns(tmp_path)
    admin = _of(city, "c.chuo")
    page = admin.get("/admin/users").text
    assert "東町" in page and "すべての組織" in page
    admin.post_many("/admin/users", [("organization", EAST)], name="n.new", sees="some", role="viewer")
    made = city.users.find("n.new")
    assert made is not None and made.organizations == [EAST]
    assert admin.post("/admin/users", name="n.unsaid", role="viewer").status_code == 400
    assert city.users.find("n.unsaid") is None
    worker = _of(city, "w.nishi")
    assert worker.get(f"/incidents/{planted[WEST].number}").status_code == 200
    admin.post_many(
        "/admin/users/w.nishi", [("organization", EAST)], do="organizations", sees="some", before=WEST
    )
    assert worker.get(f"/incidents/{planted[WEST].number}").status_code == 400
    assert worker.get(f"/incidents/{planted[EAST].number}").status_code == 200
    for given in ([], [("organization", "minami")]):
        assert (
            admin.post_many("/admin/users/w.nishi", given, do="organizations", sees="some").status_code == 400
        )
    assert admin.post("/admin/users/c.chuo", do="organizations", sees="all").status_code == 403
    admin.post("/admin/users/w.nishi", do="organizations", sees="all", before=EAST)
    assert worker.get(f"/incidents/{planted[WEST].number}").status_code == 200
    assert [one["details"] for one in admin.audited("user.organizations")] == [{"organizations": [EAST]}, {}]
    east = _of(city, "e.azuma")
    assert (
        east.post_many(
            "/account/token", [("organization", WEST), ("scope", "read")], name="x", days="1", proof=PASSWORD
        ).status_code
        == 400
    )
    assert (
        admin.post_many(
            "/account/token", [("organization", WEST), ("scope", "read")], name="x", days="1", proof=PASSWORD
        ).status_code
        == 200
    )
    assert [one.organizations for one in Tokens(city.records, city.clock).of("c.chuo")] == [(WEST,)]
    city.close()


def test_who_sees_several_is_told_whose_it_is(towns: Towns) -> None:
    """The queue and the incident name the town for who sees both, and offer as assignees only who sees it, too."""
    city, planted = towns
    tower, east = _of(city, "c.chuo"), _of(city, "e.azuma")
    shown = tower.get(f"/incidents/{planted[WEST].number}").text
    assert '<span class="tag">西町</span>' in shown and '<span class="tag">東町</span>' in tower.get("/").text
    assert 'value="w.nishi"' in shown and 'value="e.azuma"' not in shown
    assert tower.post(f"/incidents/{planted[WEST].number}/assign", assignee="e.azuma").status_code == 400
    assert '<span class="tag">東町</span>' not in east.get("/").text


def test_ones_own_work_goes_on(tmp_path: Path) -> None:
    """Limited to one town, somebody does there all that a case asks for: takes it, gives it, notes, decides, keeps and seals
    evidence, reports, closes; each is recorded and in the audit log as anybody's."""
    city, planted = two_towns(tmp_path)
    visitor, own = _of(city, "e.azuma"), planted[EAST]
    here, form = f"/incidents/{own.number}", _form(own)
    acts = ["acknowledge", "assign", "comment", "grade", "tasks", f"tasks/{own.ids['task']}", "told"]
    acts += [f"evidence/{own.ids['piece']}/hand", f"duties/{DUTY}/edit", "start", "close", "reopen"]
    for act in acts:
        answer = visitor.post(f"{here}/{act}", **form)
        assert answer.status_code == 303, (act, answer.text[-2000:])
    assert visitor.post(f"{here}/evidence/{own.ids['piece']}/read", **form).content == b"EASTMARK content"
    assert zipfile.is_zipfile(io.BytesIO(visitor.post(f"{here}/evidence/seal", **form).content))
    assert visitor.get(f"{here}/duties/{DUTY}").status_code == 200
    assert visitor.post(f"/approvals/{own.ids['approval']}", **form | {"until": ""}).status_code == 303
    decided = city.records.get("approval", own.ids["approval"])
    assert decided is not None and [one["by"] for one in decided.body["given"]] == ["e.azuma"]
    assert (
        visitor.post_many("/bulk", [("number", "1001"), ("number", "2002")], do="acknowledge").status_code
        == 303
    )
    assert not city.records.find("incident", {"number": 2002})[0].body["acknowledged_by"]
    assert visitor.post("/views", name=f"{MARK[EAST]} view", address="/?view=new").status_code == 303
    assert "EASTMARK view" in visitor.get("/").text
    assert {one["actor"] for one in visitor.audited("incident.ack")} == {"e.azuma"}
    city.close()


def test_what_one_opens_is_ones_own(tmp_path: Path) -> None:
    """By hand, from the page and by a token: the incident is the town's of whoever opens it; another's is refused, whoever sees
    several or all says whose; nobody of the other town finds it, nor what was reported."""
    city, _ = two_towns(tmp_path)
    east, west, centre = (_of(city, name) for name in ("e.azuma", "w.nishi", "c.chuo"))
    form = {"title": f"{MARK[EAST]} 紛失", "what": "x", "known": "2026-11-20T07:00", "grade": "1"}
    assert east.post("/incidents/open", **form, organization=WEST).status_code == 400
    assert centre.post("/incidents/open", **form, organization="minami").status_code == 400
    receipt = east.post("/incidents/open", **form).headers["location"]
    assert MARK[EAST] in east.get(receipt).text and west.get(receipt).status_code == 400
    assert (
        MARK[EAST] in east.get("/incidents/open").text and MARK[EAST] not in west.get("/incidents/open").text
    )
    centre.post("/incidents/open", **form | {"title": f"{MARK[WEST]} 紛失"}, organization=WEST)
    secret = Tokens(city.records, city.clock).make("c.chuo", "試験", ("work",), 3, organizations=[EAST])
    assert _call(city, secret, "POST", "/incidents/open", BODIES["Open"]).status_code == 200
    city.responder.tick()
    assert east.get(receipt).headers["location"].startswith("/incidents/")
    found = {one.body["title_ja"]: one.body for one in city.records.find("incident", {"status": "new"})}
    assert found[f"{MARK[EAST]} 紛失"]["organization"] == EAST and found[MARK[EAST]]["organization"] == EAST
    assert found[f"{MARK[WEST]} 紛失"]["organization"] == WEST
    city.close()


def test_a_view_is_for_who_sees_what_its_owner_saw(tmp_path: Path) -> None:
    """What somebody of the centre shared names another town's things: when they are limited later, neither their new
    colleagues nor they themselves find it; what was saved in one town's view stays there, also of who sees more by now."""
    city, _ = two_towns(tmp_path)
    centre, west = _of(city, "c.chuo"), _of(city, "w.nishi")
    centre.post("/views", name=f"{MARK[WEST]} hosts", address=f"/?q={MARK[WEST]}", shared="yes")
    west.post("/views", name="kept here", address="/?view=new", shared="yes")
    assert "kept here" in centre.get("/").text
    city.users.set_organizations("c.chuo", [EAST])
    city.users.set_organizations("w.nishi", [EAST, WEST])
    for name in ("c.chuo", "e.azuma", "w.nishi"):
        assert f"{MARK[WEST]} hosts" not in _of(city, name).get("/").text
    assert "kept here" in _of(city, "w.nishi").get("/").text
    assert "kept here" not in _of(city, "e.azuma").get("/").text
    city.close()


def test_a_form_too_large_of_a_session_that_is_over(towns: Towns) -> None:
    """Whoever has to sign in again is told so, however much they sent; the size is said to who is signed in."""
    city, _ = towns
    visitor = _of(city, "c.chuo")
    assert "KiB" in visitor.post("/incidents/1001/comment", text="x" * 100_000).text
    visitor.cookies.clear()
    answer = visitor.post("/incidents/1001/comment", text="x" * 100_000)
    assert answer.status_code == 401 and "KiB" not in answer.text


def test_the_report_of_an_incident_is_its_towns(towns: Towns) -> None:
    """It heads with the town, not with the centre that watches it; what is nobody's is the centre's; a town that the
    configuration no longer names stands by its id."""
    city, planted = towns
    kind, names = catalogue.find("incident"), ORGANIZATIONS.names

    def head(number: int, language: Language = "ja") -> str:
        of = Ingredients(city.events, city.records, city.clock, "共同センター", str(number), None, names)
        return kind.make(of, city.clock.now(), language).organization

    assert (head(planted[EAST].number), head(planted[WEST].number, "en")) == ("東町", "West")
    assert (head(3003), head(3004)) == ("共同センター", "elsewhere")
