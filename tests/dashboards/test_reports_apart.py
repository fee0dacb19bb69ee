"""Reports of one organisation: none counts, names or reaches anything of another's, by whatever route and in whatever form."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pypdf
import pytest

from collectors.organizations import Organizations, OrganizationSettings
from dashboards.reporting import catalogue
from dashboards.reporting.document import Document, Ingredients, Part, Table
from dashboards.reporting.machine import machine
from dashboards.reporting.publish import publish
from dashboards.reports.telework import CLAUSE
from dashboards.texts import Texts
from dashboards.tokens import Tokens
from hinomi.batch import Batch
from hinomi.clock import JST
from hinomi.errors import InputError
from hinomi.organization import FIELD
from hinomi.store import Record
from hinomi.words import Language
from responders.playbooks.run import KIND as RUN
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import NOW, City
from tests.dashboards.test_apart import _call
from tests.dashboards.two_towns import EAST, MARK, ORGANIZATIONS, WEST, Planted, two_towns

APART = sorted(name for name, kind in catalogue.kinds().items() if kind.apart)
FOREIGN = {EAST: (MARK[WEST], MARK[""], "w.nishi"), WEST: (MARK[EAST], MARK[""], "e.azuma")}
NAMES = {EAST: "東町", WEST: "西町", "": "共同センター"}
OF_THE_TOWER = {"annual-compliance"}
"""Kinds that there are not of one organisation: whoever adds a kind has to say so."""


@dataclass(frozen=True, slots=True)
class Made:
    """The stores with both towns and every report of each and of the tower. files: whose → the files, in every form."""

    city: City
    planted: dict[str, Planted]
    files: dict[str, list[Path]]

    def document(self, name: str, whose: str, language: Language = "ja") -> Document:
        """One report, before it has a form."""
        return _document(self.city, self.planted, name, whose, language)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Everything is there of both towns, of the east twice as much in one dataset: equal figures would be seen."""
    folder = tmp_path_factory.mktemp("towns")
    city, planted = two_towns(folder)
    rows = [
        {"@timestamp": NOW - timedelta(hours=n), "event.id": f"more-{n}", FIELD: EAST, "user.name": "x"}
        for n in range(9)
    ]
    city.events.append([Batch.of("squid.access", pl.DataFrame(rows), ingested=NOW)])
    for whose in ("", EAST, WEST):
        _plant_for_reports(city, whose, planted)
    files: dict[str, list[Path]] = {}
    for whose in ("", EAST, WEST):
        for name in APART if whose else catalogue.kinds():
            document = _document(city, planted, name, whose, "ja")
            files.setdefault(whose, []).extend(
                one.path for one in publish(document, folder / "reports", city.records)
            )
    yield Made(city, planted, files)
    city.close()


def _plant_for_reports(city: City, whose: str, planted: dict[str, Planted]) -> None:
    """A connection from outside by somebody of a department, an alert under the clause on it, and a run decided as a drill:
    what the reports on departments, telework and drills tell of."""
    mark, key = MARK[whose], whose or "tower"
    row = {
        "@timestamp": NOW - timedelta(minutes=15),
        "event.id": f"vpn-{key}",
        "event.action": "tunnel-up",
        "event.code": "0101039424",
        "user.name": f"{mark}.user",
        "user.staff.department": mark,
    }
    own = {FIELD: whose} if whose else {}
    city.events.append([Batch.of("fortinet.fortigate", pl.DataFrame([row | own]), ingested=NOW)])
    alert = city.records.get("alert", f"alert-{key}-0")
    assert alert is not None
    city.records.put("alert", alert.id, {**alert.body, "guideline": [CLAUSE]})
    if whose:
        run = city.records.get(RUN, planted[whose].ids["run"])
        assert run is not None
        city.records.put(RUN, run.id, {**run.body, "dry_run": True, "decided_by": mark})


def _document(city: City, planted: dict[str, Planted], name: str, whose: str, language: Language) -> Document:
    subject = str(planted[whose].number if whose else 3003) if name == "incident" else ""
    names = ORGANIZATIONS.names
    whole = Ingredients(city.events, city.records, city.clock, NAMES[""], subject, organizations=names)
    return catalogue.find(name).document(whole.part_of(whose) if whose else whole, NOW, language)


def _words(name: str, content: bytes) -> str:
    """All text of a file, whatever its form."""
    if name.endswith(".pdf"):
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
        return re.sub(r"\s", "", text)  # a narrow cell breaks a word
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "".join(archive.read(one).decode("utf-8", "replace") for one in archive.namelist())
    return content.decode()


def _reader(made: Made, name: str) -> Browser:
    return browser(made.city, name, organizations=ORGANIZATIONS)


def test_every_kind_says_whether_there_is_one_of_an_organisation() -> None:
    """A new kind is the tower's until somebody has thought of it; the others are the ones below."""
    assert set(catalogue.kinds()) - set(APART) == OF_THE_TOWER


@pytest.mark.parametrize("whose", [EAST, WEST])
@pytest.mark.parametrize("name", APART)
def test_a_towns_report_tells_of_nobody_else(made: Made, name: str, whose: str) -> None:
    """In both languages and every form: its own mark, none of the other town or the tower; its own name at the head."""
    english = machine(made.document(name, whose, "en")).decode()
    files = [path for path in made.files[whose] if path.name.startswith(name)]
    assert sorted(path.suffix for path in files) == [".html", ".json", ".pdf", ".xlsx"]
    for text in (english, *(_words(path.name, path.read_bytes()) for path in files)):
        assert MARK[whose] in text
        assert not [mark for mark in FOREIGN[whose] if mark in text]
    assert made.document(name, whose).organization == NAMES[whose]
    assert Texts("en")("reports.of_one") in made.document(name, whose, "en").summary


@pytest.mark.parametrize("name", APART)
def test_the_appendix_says_of_whom_was_asked(made: Made, name: str) -> None:
    """Who asks a store the same again gets the figure of the report, not the whole tower's; the tower's own names nobody."""
    asked, whole = ([one.asked for one in made.document(name, whose).origins] for whose in (EAST, ""))
    events = {one.startswith(f'{FIELD}: "{EAST}" | events.') for one in asked if "events." in one}
    records = {one.startswith(f'organization: "{EAST}" | records ') for one in asked if "records " in one}
    assert events | records == {True}
    assert not [one for one in whole if EAST in one]


def test_the_walk_would_find_it(made: Made) -> None:
    """The tower's own reports name both towns: what the marks are looked for in holds such text."""
    weekly = machine(made.document("weekly-operations", "")).decode()
    assert MARK[EAST] in weekly and MARK[WEST] in weekly and MARK[""] in weekly


@pytest.mark.parametrize(("user", "whose"), [("e.azuma", EAST), ("w.nishi", WEST)])
def test_no_route_gives_anothers_report(made: Made, user: str, whose: str) -> None:
    """List, files and API: one's own are all there; every file of another's answers as one that never was."""
    reader = _reader(made, user)
    listed = reader.get("/reports").text
    never = reader.get("/reports/never.html")
    secret = Tokens(made.city.records, made.city.clock).make(user, "試験", ("read",), 3)
    told = _call(made.city, secret, "GET", "/reports?limit=500").text
    assert '"sha256"' in told and '"path"' not in told  # the server's folders are nobody's business
    for owner, files in made.files.items():
        for path in files:
            answer = reader.get(f"/reports/{path.name}")
            assert (path.name in listed, path.name in told) == (owner == whose,) * 2, path.name
            if owner == whose:
                assert answer.status_code == 200 and answer.content == path.read_bytes()
            else:
                echoed = answer.text.replace(path.name, "never.html")
                assert (answer.status_code, echoed) == (never.status_code, never.text), path.name
    assert not [mark for mark in FOREIGN[whose] if mark in listed + told]


def test_who_sees_all_has_all_reports(made: Made) -> None:
    """The tower's people have each, and are told whose it is."""
    reader = _reader(made, "c.chuo")
    listed = reader.get("/reports").text
    assert all(path.name in listed for files in made.files.values() for path in files)
    assert '<span class="tag">東町</span>' in listed
    assert reader.get(f"/reports/{made.files[WEST][0].name}").status_code == 200


def test_a_report_of_one_organisation_is_never_taken_for_the_towers(made: Made) -> None:
    """Also where there is but one organisation, and where it is no longer in the configuration: two rows would look the same.
    Who sees one alone needs no telling."""
    one = Organizations.of({EAST: OrganizationSettings(name_ja="東町")})
    listed = browser(made.city, "c.chuo", organizations=one).get("/reports").text
    assert listed.count('<span class="tag">東町</span>') == len(APART)
    assert listed.count(f'<span class="tag">{WEST}</span>') == len(APART)
    assert '<span class="tag">' not in _reader(made, "e.azuma").get("/reports").text


@pytest.mark.parametrize("whose", [EAST, WEST])
def test_figures_are_those_of_the_store(made: Made, whose: str) -> None:
    """Counted again from raw records and files, without the report's code or the views it reads."""
    records = made.city.records
    incidents = _own(records.find("incident", limit=10_000), whose)
    opened = Counter(int(one.body["grade"]) for one in incidents)
    weekly = made.document("weekly-operations", whose)
    grades, left = _tables(weekly.parts[0])
    assert [int(row[1]) for row in grades.rows] == [opened[grade] for grade in (3, 2, 1, 0)]
    still = {f"#{one.body['number']}" for one in incidents if one.body["status"] != "closed"}
    assert {row[0] for row in left.rows} == still and still
    alerts = Counter(str(one.body["title_ja"]) for one in _own(records.find("alert", limit=10_000), whose))
    assert {row[0]: int(row[1]) for row in _tables(weekly.parts[2])[0].rows} == alerts
    events = _events(made.city, whose)
    held = _tables(weekly.parts[4])[0].rows
    assert {row[0]: int(row[1].replace(",", "")) for row in held if row[1] != "—"} == events
    retained = _tables(made.document("monthly-committee", whose).parts[5])[0].rows
    assert {row[0]: int(row[1]) for row in retained} == events
    midnight = NOW.astimezone(JST).replace(hour=0, minute=0)
    over = NOW.replace(minute=0)  # an hour that is not over is not told yet
    day = _tables(made.document("daily-digest", whose).parts[3])[0].rows
    told = {row[0]: int(row[1]) for row in day if row[1] != "—"}
    assert told == _events(made.city, whose, midnight, over)


def _own(found: list[Record], whose: str) -> list[Record]:
    return [one for one in found if one.body.get("organization") == whose]


def _events(city: City, whose: str, start: datetime | None = None, end: datetime = NOW) -> dict[str, int]:
    """Dataset → how many of its events up to `end` are the organisation's, from the store's own files."""
    counts: dict[str, int] = {}
    for one in city.events.datasets():
        if one.name.startswith("hinomi."):
            continue
        for frame in city.events.scan(one.name):
            own = frame.filter(pl.col(FIELD) == whose) if FIELD in frame.columns else frame.clear()
            times = [
                time for time in own["@timestamp"].to_list() if time <= end and (not start or time >= start)
            ]
            if times:
                counts[one.name] = counts.get(one.name, 0) + len(times)
    return counts


def _tables(part: Part) -> list[Table]:
    return [block for block in part.blocks if isinstance(block, Table)]


def test_what_cannot_be_made_is_refused(made: Made) -> None:
    """A town that there is not, a kind that is the tower's, and the other town's incident."""
    city = made.city
    whole = Ingredients(city.events, city.records, city.clock, organizations=ORGANIZATIONS.names)
    with pytest.raises(InputError, match="is not one of the organizations"):
        whole.part_of("minami")
    with pytest.raises(InputError, match="whole tower's"):
        catalogue.find("annual-compliance").document(whole.part_of(EAST), NOW, "ja")
    theirs = replace(whole.part_of(EAST), subject=str(made.planted[WEST].number))
    with pytest.raises(InputError, match="there is no incident"):
        catalogue.find("incident").document(theirs, NOW, "ja")
