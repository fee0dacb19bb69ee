"""The department report: counted by the staff list, nobody named, and a department's own paper."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from dashboards.reporting.document import Document, Ingredients, Table
from dashboards.reporting.machine import machine
from dashboards.reporting.publish import publish
from dashboards.reports import department
from hinomi.batch import Batch
from hinomi.errors import InputError
from hinomi.words import Language
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City, at, seeded_city

pytestmark = pytest.mark.xdist_group("department")  # what is made once for all of them is made in one process

TAX, COUNTER = "税務課", "住民課/窓口"
PEOPLE = {TAX: ["h.suzuki", "t.yamada", "k.sato", "y.tanaka"], COUNTER: ["m.ito"]}


def event(number: int, name: str, who: str, **fields: Any) -> dict[str, Any]:
    return {
        "@timestamp": at("10:00"),
        "event.id": f"d-{number}",
        "event.original": f"line {number}",
        "user.name": who,
        "user.staff.department": name,
        "event.category": ["authentication"],
        "event.outcome": "success",
        "event.action": "login",
        "source.geo.country_iso_code": "JP",
        **fields,
    }


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The seeded city, and one record for each of five people of two departments, some of a kind that is counted."""
    made = seeded_city(tmp_path_factory.mktemp("department"))
    rows = [
        event(n, name, who)
        for n, (name, who) in enumerate((d, w) for d, all_ in PEOPLE.items() for w in all_)
    ]
    rows += [
        event(10, TAX, "k.sato", **{"event.outcome": "failure"}),
        event(11, TAX, "k.sato", **{"event.outcome": "failure", "source.geo.country_iso_code": "RO"}),
        event(13, TAX, "k.sato", **{"source.geo.country_iso_code": "RO"}),
        event(14, TAX, "k.sato", **{"source.geo.country_iso_code": "RO", "event.type": ["end"]}),
        event(12, COUNTER, "m.ito", **{"event.action": "tunnel-up", "event.code": "0101039424"}),
    ]
    made.events.append(
        [Batch.of("fortinet.fortigate", pl.DataFrame(rows), origin="edge", ingested=at("10:01"))]
    )
    yield made
    made.close()


def document(city: City, subject: str = "", language: Language = "ja") -> Document:
    return department.make(
        Ingredients(city.events, city.records, city.clock, "火の見市", subject), NOW, language
    )


def rows(made: Document, part: int = 0) -> list[tuple[str, ...]]:
    return [row for block in made.parts[part].blocks if isinstance(block, Table) for row in block.rows]


def test_departments_stand_beside_one_another(held: City) -> None:
    """Events, failures, connections as planted; abroad counts what worked, neither a refusal nor an end; few people are
    no number; alerts as the records have them."""
    about = {
        name: sum(
            bool(set(record.body["entities"].get("user.name", [])) & set(people))
            for record in held.records.find("alert")
        )
        for name, people in PEOPLE.items()
    }
    assert rows(document(held)) == [
        (TAX, "4", "8", "2", "0", "1", str(about[TAX])),
        (COUNTER, "3 人未満", "—", "—", "—", "—", "—"),
    ]
    assert about[TAX] > 0
    assert f"延べ {about[TAX]} 件" in document(held).summary[0]
    assert "1 部署" in document(held).summary[1]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nobody_is_named(held: City, language: Language) -> None:
    """Neither the overview nor a department's paper holds an account."""
    for subject in ("", TAX, COUNTER):
        text = machine(document(held, subject, language)).decode()
        assert not [who for people in PEOPLE.values() for who in people if who in text]


def test_a_department_has_its_own_paper(held: City, tmp_path: Path) -> None:
    """Its figures only; its name in the title and, as far as it fits one, in the file's name."""
    assert [row[0] for row in rows(document(held, TAX))] == [TAX]
    assert rows(document(held, TAX), 1)[0][0] == "fortinet.fortigate"
    made = document(held, COUNTER)
    assert COUNTER in made.title.ja and TAX not in json.dumps(json.loads(machine(made)), ensure_ascii=False)
    files = publish(made, tmp_path)
    assert {one.path.parent for one in files} == {tmp_path}
    assert all("住民課_窓口-" in one.path.name for one in files)


@pytest.mark.parametrize("subject", ["", COUNTER])
def test_what_a_single_person_did_is_not_counted(held: City, subject: str) -> None:
    """Of a department of fewer than three people no figure stands anywhere, be it the sum less the others."""
    made = document(held, subject)
    assert rows(made)[-1] == (COUNTER, "3 人未満", *["—"] * 5)
    assert len(made.parts) == 1
    if subject:
        assert not re.search(r"\d+ 件", " ".join(made.summary))
        assert "3 人未満" in made.summary[0]


def test_a_departments_files_open_in_the_console(held: City, tmp_path: Path) -> None:
    """Its name in Japanese letters is sent as browsers read it."""
    files = publish(document(held, TAX), tmp_path, held.records)
    visitor = browser(held, "a.kansa")
    for one in files:
        answer = visitor.get(f"/reports/{quote(one.path.name)}")
        assert answer.content == one.path.read_bytes()
        assert quote(one.path.name) in answer.headers["content-disposition"]


def test_a_department_without_records_is_an_error(held: City) -> None:
    """The error names those that have some."""
    with pytest.raises(InputError, match=TAX):
        document(held, "水道課")
