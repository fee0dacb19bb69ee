"""Kibana objects: structure as Kibana's exports have it, every reference resolved, every field and query known."""

import json
import threading
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest

from collectors import catalogue
from dashboards import clouds, kibana
from dashboards.boards import BOARDS
from hinomi import ecs, query
from hinomi.errors import DependencyDown, InputError
from tests.dashboards.browse import browser
from tests.dashboards.city import City
from tests.dashboards.test_compliance_recomputed import holds

ATTRIBUTES = {
    "index-pattern": {"title", "name", "timeFieldName"},
    "search": {"title", "description", "columns", "sort", "grid", "hideChart", "kibanaSavedObjectMeta"},
    "visualization": {"title", "description", "uiStateJSON", "version", "visState", "kibanaSavedObjectMeta"},
    "dashboard": {
        "title",
        "description",
        "panelsJSON",
        "optionsJSON",
        "timeRestore",
        "version",
        "kibanaSavedObjectMeta",
    },
}


def _objects(language: str = "ja") -> list[dict[str, Any]]:
    lines = kibana.export("en" if language == "en" else "ja").decode().splitlines()
    return [json.loads(line) for line in lines]


def test_objects_are_as_kibana_writes_them() -> None:
    """Each line has the keys and attributes of its type; the last line counts; ids are unique and stable."""
    *objects, details = _objects()
    assert details == {"exportedCount": len(objects), "missingRefCount": 0, "missingReferences": []}
    assert len({one["id"] for one in objects}) == len(objects)
    for one in objects:
        assert set(one["attributes"]) == ATTRIBUTES[one["type"]], one["type"]
        assert one["typeMigrationVersion"] == kibana.VERSIONS[one["type"]]
        for name in ("panelsJSON", "optionsJSON", "uiStateJSON", "visState"):
            json.loads(one["attributes"].get(name, "{}"))
    assert [one["id"] for one in objects] == [one["id"] for one in _objects("en")[:-1]]


def test_every_reference_resolves() -> None:
    """What a dashboard or search names is in the file, under the name that its JSON uses."""
    *objects, _ = _objects()
    known = {(one["type"], one["id"]) for one in objects}
    for one in objects:
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in known
        if one["type"] == "dashboard":
            names = {
                f"{panel['panelIndex']}:{panel['panelRefName']}"
                for panel in json.loads(one["attributes"]["panelsJSON"])
            }
            assert names == {reference["name"] for reference in one["references"]}
        source = json.loads(one["attributes"].get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        if "indexRefName" in source:
            assert source["indexRefName"] in {reference["name"] for reference in one["references"]}


def test_boards_ask_what_the_store_knows() -> None:
    """Every query can be read; every field is of ECS or of our own names."""
    own = {"source.zone", "destination.zone", "hinomi.signal.level", "hinomi.signal.event_dataset"}
    for board in BOARDS:
        for panel in board.panels:
            query.parse(board.query)
            query.parse(panel.query)
            assert not panel.field or panel.field in own or panel.field in ecs.fields(), panel.field


_TUNNEL = {
    "event.dataset": "fortinet.fortigate",
    "event.action": "tunnel-up",
    "event.code": "0101039424",
    "event.outcome": "success",
}


@pytest.mark.parametrize(
    ("board", "row", "shown"),
    [
        ("telework", _TUNNEL, True),
        ("telework", {"event.dataset": "windows.eventlog", "event.category": ["authentication"]}, False),
        ("telework", {"event.dataset": "microsoft.entra", "event.category": ["authentication"]}, False),
        ("saas", {"event.dataset": "microsoft.m365_audit"}, True),
        ("saas", {"event.dataset": "aws.cloudtrail"}, True),
        ("saas", {"event.dataset": "box.events"}, True),
        ("saas", {"event.dataset": "slack.audit"}, True),
        ("saas", {"event.dataset": "microsoft.dhcp"}, False),
        ("saas", {"event.dataset": "microsoft.dns"}, False),
        ("saas", {"event.dataset": "microsoft.iis"}, False),
        ("saas", {"event.dataset": "microsoft.nps"}, False),
    ],
)
def test_a_board_shows_what_its_name_says(board: str, row: dict[str, Any], shown: bool) -> None:
    """Telework is connections from outside, not every sign-in; SaaS is clouds, not what runs on the own machines."""
    asked = next(one.query for one in BOARDS if one.key == board)
    assert holds(query.parse(asked), row) is shown


def test_clouds_are_sources_that_there_are() -> None:
    """A dataset of another spelling would never be seen."""
    assert set(clouds.OPERATIONS) <= set(catalogue.sources())


class _Kibana(BaseHTTPRequestHandler):
    """What `POST /api/saved_objects/_import` of Kibana does and answers, as its documentation has it."""

    seen: ClassVar[list[dict[str, Any]]] = []
    refuse = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        good = self.headers.get("kbn-xsrf") and self.headers.get("authorization") == "ApiKey k"
        if self.path != "/api/saved_objects/_import?overwrite=true" or not good:
            self._answer(401 if self.headers.get("kbn-xsrf") else 400, {"message": "no"})
            return
        lines = [
            line
            for line in body.split("\r\n\r\n", 1)[1].split("\r\n--")[0].splitlines()
            if line.startswith("{")
        ]
        objects = [json.loads(line) for line in lines if "exportedCount" not in line]
        type(self).seen = objects
        wrong = [
            {"type": o["type"], "id": o["id"], "error": {"type": "unsupported_type"}} for o in objects[:1]
        ]
        told = {"success": not self.refuse, "successCount": len(objects)}
        self._answer(200, told | ({"errors": wrong} if self.refuse else {}))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Kibana)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_import(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything arrives; a wrong key and refused objects are said in words."""
    content = kibana.export("ja")
    assert kibana.send(address, "k", content) == len(_objects()) - 1
    assert len(_Kibana.seen) == len(_objects()) - 1
    with pytest.raises(DependencyDown):
        kibana.send(address, "wrong", content)
    monkeypatch.setattr(_Kibana, "refuse", True)
    with pytest.raises(InputError, match="unsupported_type"):
        kibana.send(address, "k", content)


def test_the_console_draws_what_kibana_draws(city: City) -> None:
    """Each board of the export is a page of the console with the same panels over the same queries; its figures are the store's, and
    logs about residents are not among them without a reason."""
    exported = [json.loads(line) for line in kibana.export("ja").decode().splitlines()]
    asked = {
        one["attributes"]["title"]: json.loads(
            one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]
        )["query"]["query"]
        for one in exported
        if one.get("type") == "visualization"
    }
    visitor = browser(city, "m.kato")
    drawn = {}
    for board in BOARDS:
        page = visitor.get(f"/boards?board={board.key}&range=7d")
        assert page.status_code == 200
        for panel in board.panels:
            part = page.text.split(f">{panel.title.ja} <a", 1)[1].split("</section>", 1)[0]
            query = parse_qs(unescape(part.split('href="', 1)[1].split('"', 1)[0]).partition("?")[2])
            drawn[f"{board.title.ja}: {panel.title.ja}"] = query.get("q", [""])[0]
            assert ("<svg" in part) is (panel.kind == "over_time")
    assert drawn == asked
    page = visitor.get("/boards?board=telework&range=7d").text
    assert '>ルーマニア</span><span class="num">1<' in page  # a country by its name
    page = visitor.get("/boards?board=compliance&range=7d").text
    assert '>squid.access</span><span class="num">240<' in page
