"""Fetching lists from a local server that speaks TAXII 2.1 by its specification, and from a MISP feed's folder."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.indicators.fetch import fetch
from collectors.indicators.reading import Terms
from collectors.indicators.settings import Feed
from hinomi.errors import InputError
from tests.collectors.indicators.test_reading import stix

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TERMS = Terms("feed", now=NOW)
OBJECTS = [
    (f"2026-11-{10 + n:02}T00:00:00.000Z", stix(f"[ipv4-addr:value = '203.0.113.{n}']")) for n in range(1, 6)
]
EVENT = {
    "Event": {
        "info": "x",
        "Attribute": [
            {"type": "domain", "value": "bad.example.net", "to_ids": True, "timestamp": "1795100000"}
        ],
    }
}
MANIFEST = {"e-old": {"timestamp": "100"}, "e-new": {"timestamp": "200"}}
HOLED = {"e-gone": {"timestamp": "50"}, "e-page": {"timestamp": "150"}, **MANIFEST}


FILLED: dict[str, object] = {}
WITHOUT_NEXT: list[bool] = []


class Peer(BaseHTTPRequestHandler):
    """TAXII 2.1: media type, authentication, added_after, limit of two objects a page, `more`, `next`, X-TAXII headers."""

    def do_GET(self) -> None:
        """One collection of a TAXII API root, and a MISP feed."""
        url = urlsplit(self.path)
        if url.path.startswith("/misp/"):
            return self._misp(url.path.removeprefix("/misp/"))
        if url.path.startswith("/holed/"):
            return self._holed(url.path.removeprefix("/holed/"))
        if self.headers["Authorization"] != "Basic " + base64.b64encode(b"city:geheim").decode():
            return self._send(401, b"{}", "application/taxii+json;version=2.1")
        if self.headers["Accept"] != "application/taxii+json;version=2.1":
            return self._send(406, b"{}", "application/taxii+json;version=2.1")
        if url.path != "/api/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/":
            return self._send(404, b"{}", "application/taxii+json;version=2.1")
        return self._objects(parse_qs(url.query))

    def _objects(self, query: dict[str, list[str]]) -> None:
        after, start = query.get("added_after", [""])[0], int(query.get("next", ["0"])[0])
        held = [pair for pair in OBJECTS if pair[0] > after]
        page = held[start : start + 2]
        envelope: dict[str, object] = {"objects": [one for _, one in page]} if page else {}
        if start + 2 < len(held):
            envelope |= {"more": True} | ({} if WITHOUT_NEXT else {"next": str(start + 2)})
        self._send(
            200,
            json.dumps(envelope).encode(),
            "application/taxii+json;version=2.1",
            page[-1][0] if page else "",
        )

    def _holed(self, name: str) -> None:
        files = {"manifest.json": HOLED, "e-new.json": EVENT, "e-old.json": EVENT} | FILLED
        body = b"<html>busy</html>" if name == "e-page.json" else json.dumps(files.get(name)).encode()
        self._send(200 if name in files or name == "e-page.json" else 404, body, "application/json")

    def _misp(self, name: str) -> None:
        files = {"manifest.json": MANIFEST, "e-old.json": EVENT, "e-new.json": EVENT}
        found = files.get(name)
        self._send(200 if found else 404, json.dumps(found).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str, last: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if last:
            self.send_header("X-TAXII-Date-Added-Last", last)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def peer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def taxii(peer: str, monkeypatch: pytest.MonkeyPatch, secret: str = "geheim") -> Feed:
    monkeypatch.setenv("TAXII_SECRET", secret)
    return Feed.model_validate(
        {
            "kind": "taxii",
            "url": f"{peer}/api/",
            "collection": "91a7b528-80eb-42ed-a74d-c6fbd5a26116",
            "user": "city",
            "token": "env:TAXII_SECRET",
        }
    )


def test_taxii_page_by_page_and_on_from_there(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five objects over three pages; the next fetch asks for what was added after the last and gets nothing twice."""
    feed = taxii(peer, monkeypatch)
    fetched = fetch(feed, TERMS)
    assert [one.value for one in fetched.taken.taken] == [f"203.0.113.{n}" for n in range(1, 6)]
    assert fetched.mark == OBJECTS[-1][0]
    again = fetch(feed, TERMS, fetched.mark)
    assert again.taken.taken == [] and again.mark == fetched.mark
    assert len(fetch(feed, TERMS, OBJECTS[2][0]).taken.taken) == 2


def test_misp_events_newer_than_the_last(peer: str) -> None:
    """The manifest tells which events are new; the mark is the newest one's time."""
    feed = Feed.model_validate({"kind": "misp", "url": f"{peer}/misp"})
    fetched = fetch(feed, TERMS)
    assert len(fetched.taken.taken) == 2 and fetched.mark == "200"
    assert len(fetch(feed, TERMS, "100").taken.taken) == 1 and fetch(feed, TERMS, "200").taken.taken == []


def test_taxii_that_says_more_and_not_where(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.4: `more` without `next` goes on with what was added after the page's last; nothing is lost, nothing comes twice."""
    monkeypatch.setattr("tests.collectors.indicators.test_fetch.WITHOUT_NEXT", [True])
    fetched = fetch(taxii(peer, monkeypatch), TERMS)
    assert [one.value for one in fetched.taken.taken] == [f"203.0.113.{n}" for n in range(1, 6)]
    assert fetched.mark == OBJECTS[-1][0] and fetched.problems == []


def test_a_misp_event_that_is_not_there(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event's file is missing, one is an error page: both are named, the others are taken, the mark goes on; the next
    time both are asked for again, and only they."""
    feed = Feed.model_validate({"kind": "misp", "url": f"{peer}/holed"})
    fetched = fetch(feed, TERMS)
    assert len(fetched.taken.taken) == 2 and fetched.mark == "200"
    assert fetched.missing == {"e-gone": 50, "e-page": 150} and not fetched.taken.refused
    assert "e-gone.json" in fetched.problems[0] and "404" in fetched.problems[0]
    monkeypatch.setitem(FILLED, "e-gone.json", EVENT)
    again = fetch(feed, TERMS, fetched.mark, missing=fetched.missing)
    assert (len(again.taken.taken), again.missing, again.mark) == (1, {"e-page": 150}, "200")


def test_what_goes_wrong_is_said_without_the_secret(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password, a closed door: in both languages, with the address and never the secret."""
    for feed in (
        taxii(peer, monkeypatch, "falsch"),
        Feed.model_validate({"kind": "document", "url": "http://127.0.0.1:1/x"}),
    ):
        with pytest.raises(InputError) as caught:
            fetch(feed, TERMS)
        assert "http://127.0.0.1" in str(caught.value) and "falsch" not in str(caught.value)
