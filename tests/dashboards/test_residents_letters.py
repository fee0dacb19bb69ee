"""Lines about residents that could not be read are no less about residents: sealed wherever events are shown."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from dashboards.console.app import create_app
from dashboards.console.residents import Residents, Seal
from dashboards.settings import ConsoleSettings
from dashboards.tokens import Tokens
from hinomi.batch import DEAD_LETTERS, Batch
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import City, at, seeded_city

RESIDENT = "千代田 花子"
LETTERS = {
    "declared": ("city.resident_view", "juki"),
    "no-source": ("", "juki"),
    "elsewhere": ("", "edge"),
    "firewall": ("fortinet.fortigate", "edge"),
    "of-another": ("fortinet.fortigate", "juki"),
}
"""Dead letter → the source that could not read it, the sender. The city's `juki` sends city.resident_view; where it is one
source of several, a letter names the first that was asked."""
SEALED = {"declared", "no-source", "of-another"}


@pytest.fixture
def letters_city(tmp_path: Path) -> Iterator[City]:
    """The city with one dead letter of each kind, all of them with the same name in the line."""
    city = seeded_city(tmp_path)
    rows = [
        {
            "@timestamp": at("06:30"),
            "event.id": f"letter-{name}",
            "event.original": f"{name};{RESIDENT}",
            "error.message": f"not_read_{name}",
            "user.name": f"clerk-{name}",
            "hinomi.dead_letter.source": source,
            "hinomi.origin": origin,
        }
        for name, (source, origin) in LETTERS.items()
    ]
    for row in rows:
        batch = Batch.of(
            DEAD_LETTERS, pl.DataFrame([row]), origin=str(row["hinomi.origin"]), ingested=at("06:31")
        )
        city.events.append([batch])
    yield city
    city.close()


def _lines(text: str) -> set[str]:
    return {name for name in LETTERS if f"{name};{RESIDENT}" in text}


def _api(city: City, path: str) -> httpx.Response:
    app = create_app(city.events, city.records, city.desk, ConsoleSettings(), city.clock, users=city.users)
    secret = Tokens(city.records, city.clock).make("m.kato", "試験", ("read",), 30)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get(f"/api/v1{path}", headers={"authorization": f"Bearer {secret}"})

    return asyncio.run(ask())


def _reveal(visitor: Browser) -> None:
    visitor.post("/reveal", scope="search", reason="漏えい件数の確認のため", back="/search")


PAGES = {
    "sources": "/sources",
    "search": "/search?range=all&dataset=hinomi.dead_letter",
    "around": f"/search/around?id=letter-declared&dataset=hinomi.dead_letter&at={at('06:30').isoformat().replace('+', '%2B')}",
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_seal_letters_about_residents(letters_city: City, page: str) -> None:
    """A line of a declared source, and one of the same sender that no source was found for, come after a reason; others as ever."""
    visitor = browser(letters_city, "m.kato")
    answer = visitor.get(PAGES[page])
    assert answer.status_code == 200
    assert _lines(answer.text) == set(LETTERS) - SEALED
    _reveal(visitor)
    assert _lines(visitor.get(PAGES[page]).text) == set(LETTERS)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_exports_that_hold_such_letters_need_a_reason(letters_city: City, form: str) -> None:
    """Refused with such a letter among what was found; a narrower search goes; after a reason all of it goes."""
    visitor = browser(letters_city, "m.kato")
    address = f"/search/export.{form}?range=all&dataset=hinomi.dead_letter"
    assert visitor.get(address).status_code == 403
    assert visitor.get(f"/search/export.{form}?range=all").status_code == 403
    narrower = visitor.get(f"{address}&q=hinomi.origin:+edge")
    assert (narrower.status_code, _lines(narrower.text)) == (200, {"elsewhere", "firewall"})
    _reveal(visitor)
    assert _lines(visitor.get(address).text) == set(LETTERS)


def test_the_api_leaves_them_out_and_does_not_count_them(letters_city: City) -> None:
    """A search by token tells of the others alone, whatever the query's parentheses try."""
    every = _api(letters_city, "/events?dataset=hinomi.dead_letter&limit=500").json()
    seen = {one["event.id"] for one in every["items"] if str(one["event.id"]).startswith("letter-")}
    assert seen == {"letter-elsewhere", "letter-firewall"}
    assert every["total"] == letters_city.events.count(datasets=[DEAD_LETTERS]) - len(SEALED)
    around = _api(letters_city, "/events?q=event.id: *) or (event.id: *")
    assert around.status_code == 400
    assert RESIDENT not in around.text


def test_values_of_such_letters_are_told_after_a_reason(letters_city: City) -> None:
    """Neither the list of values nor completion tells what stands in them."""
    visitor = browser(letters_city, "m.kato")
    page = "/search?range=all&dataset=hinomi.dead_letter&field=user.name"
    completed = "/search/complete?q=user.name:+clerk&at=16&range=all&dataset=hinomi.dead_letter"
    assert "clerk-declared" not in visitor.get(page).text
    found = visitor.get(completed).text
    assert "clerk-declared" not in found
    assert "clerk-no-source" not in found
    assert "clerk-firewall" in found
    _reveal(visitor)
    assert "clerk-declared" in visitor.get(page).text


@pytest.mark.parametrize("name", ["City.Resident_View", "city.resident-view", "city.*"])
def test_a_dataset_in_another_spelling_is_none(letters_city: City, name: str) -> None:
    """The server's store makes the same index of other spellings: a name that is not held is refused or finds nothing."""
    visitor = browser(letters_city, "m.kato")
    assert visitor.get(f"/search/export.csv?range=all&dataset={name}").status_code == 400
    assert visitor.get(f"/search?range=all&dataset={name}").status_code == 400
    assert _api(letters_city, f"/events?dataset={name}").json()["total"] == 0


def test_query_and_row_agree_on_what_is_sealed(letters_city: City) -> None:
    """The query that counts sealed letters finds the very rows that are sealed one by one; no dataset, no seal."""
    residents = Residents(
        letters_city.records, letters_city.clock, frozenset({"city.resident_view"}), timedelta(minutes=1)
    )
    seal = residents.unreasoned()
    rows = letters_city.events.search(datasets=[DEAD_LETTERS], limit=500).rows
    found = letters_city.events.search(seal.letters, limit=500).rows
    assert {row["event.id"] for row in found} == {row["event.id"] for row in rows if seal.hides(row)}
    assert len(found) == len(SEALED)
    assert Seal(frozenset(), frozenset()).only("a") == "a"
