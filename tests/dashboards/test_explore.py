"""Search beyond finding: completion, neighbours, field statistics, drafts of rules."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from dashboards.sigma_draft import draft
from hinomi.errors import InputError
from rules import engine
from tests.dashboards.browse import browser
from tests.dashboards.city import HOSTILE, City


def _suggest(city: City, query: str, **more: str) -> dict[str, object]:
    visitor = browser(city, "m.kato")
    text = "&".join(f"{name}={value}" for name, value in {"range": "all", **more}.items())
    found: dict[str, object] = json.loads(
        visitor.get(f"/search/complete?q={query}&at={len(query)}&{text}").text
    )
    return found


def test_fields_then_values(city: City) -> None:
    """`user.na` completes to the field; `event.action: ssl` to values that really occur, with their counts."""
    fields = _suggest(city, "user.na")
    assert fields["from"] == 0
    assert fields["items"][0] == {"text": "user.name: ", "shown": "user.name", "note": "keyword"}  # type: ignore[index]
    values = _suggest(city, "event.action: ssl")
    assert values["from"] == len("event.action: ")
    assert values["items"][0] == {"text": "ssl-login-fail", "shown": "ssl-login-fail", "note": "9"}  # type: ignore[index]
    assert _suggest(city, "user.name: t.y and ev")["from"] == len("user.name: t.y and ")
    assert _suggest(city, '((( "')["items"] is not None


def test_hostile_value_is_completed_quoted_and_inert(city: City) -> None:
    """A value with quotes and escapes is offered in quotes, shown without its control characters."""
    items = _suggest(city, "user.name: ", dataset="fortinet.fortigate")["items"]
    found = [one for one in items if "script" in one["text"]]  # type: ignore[attr-defined,union-attr]
    assert found
    assert found[0]["text"].startswith('"')
    assert "\x1b" not in found[0]["shown"]
    visitor = browser(city, "m.kato")
    assert "1 件" in visitor.get("/search?range=all&q=event.id:+vpn-hostile").text
    assert HOSTILE not in visitor.get("/search?range=all").text


def test_neighbours_of_an_event(city: City) -> None:
    """What came before and after, the asked one opened between them; only the same person where asked."""
    visitor = browser(city, "m.kato")
    row = city.events.get(["web-120"])[0]
    at = row["@timestamp"].isoformat().replace("+", "%2B")
    page = visitor.get(f"/search/around?id=web-120&dataset=squid.access&at={at}").text
    assert page.count('class="hit') == 41 + 1  # and the list around them
    assert 'class="hit centre" open' in page
    same = visitor.get(f"/search/around?id=web-120&dataset=squid.access&at={at}&same=source.ip").text
    assert same.count('class="hit') < page.count('class="hit')
    assert visitor.get("/search/around?id=web-120&dataset=squid.access&at=yesterday").status_code == 400
    assert visitor.get(f"/search/around?id=gone&dataset=squid.access&at={at}").status_code == 400


def test_field_statistics(city: City) -> None:
    """How many of the found events have the field, and what kind it is."""
    page = browser(city, "m.kato").get("/search?range=all&dataset=squid.access&field=url.domain").text
    assert "240 (100%)" in page
    assert "keyword" in page


@pytest.mark.parametrize(
    ("query", "event", "matches"),
    [
        (
            "user.name: t.yamada and event.outcome: failure",
            {"user.name": "T.Yamada", "event.outcome": "failure"},
            True,
        ),
        (
            "user.name: t.yamada and not event.outcome: failure",
            {"user.name": "t.yamada", "event.outcome": "failure"},
            False,
        ),
        ("event.action: ssl* or event.action: tunnel-up", {"event.action": "tunnel-up"}, True),
        ('file.name: "a*b"', {"file.name": "axxb"}, False),
        ("source.ip: 10.30.0.0/16", {"source.ip": "10.30.8.1"}, True),
        ("http.response.status_code >= 500", {"http.response.status_code": 503}, True),
        ("url.domain: *", {"url.domain": "x"}, True),
    ],
)
def test_draft_says_what_the_search_says(
    tmp_path: Path, query: str, event: dict[str, object], matches: bool
) -> None:
    """The draft loads in the rule engine without a complaint and decides as the search does."""
    text = draft(query, ["fortinet.fortigate"], date(2026, 11, 20), "試験")
    file = tmp_path / "draft.yml"
    file.write_text(text, encoding="utf-8")
    loaded = engine.load([file])
    assert loaded.problems == []
    rule = loaded.rules[0]
    assert rule.unsupported is None
    full = {
        "event.dataset": "fortinet.fortigate",
        "@timestamp": "2026-11-20T00:00:00Z",
        "event.id": "1",
        **event,
    }
    assert loaded.explain(rule.id, full).matched is matches
    assert yaml.safe_load(text)["logsource"] == {"product": "hinomi", "service": "fortinet.fortigate"}
    file.write_text(draft(query, [], date(2026, 11, 20), "試験"), encoding="utf-8")
    anywhere = engine.load([file])
    assert anywhere.explain(anywhere.rules[0].id, full).matched is matches


def test_draft_of_nothing_and_of_text_comparisons(city: City) -> None:
    """No query, no rule; comparing words is said to be impossible; the draft is a download and audited."""
    with pytest.raises(InputError):
        draft("", [], date(2026, 11, 20), "")
    with pytest.raises(InputError):
        draft("user.name > b", [], date(2026, 11, 20), "")
    answer = browser(city, "m.kato").get("/search/sigma?q=user.name:+t.yamada&range=all")
    assert answer.headers["content-disposition"] == 'attachment; filename="draft.yml"'


def test_search_seals_resident_logs(own_city: City) -> None:
    """Neither the line, nor the values, nor an export of logs about residents comes without a reason."""
    from tests.dashboards.test_case import _with_resident_log

    _with_resident_log(own_city)
    visitor = browser(own_city, "m.kato")
    address = "/search?range=all&dataset=city.resident_view&field=user.name"
    page = visitor.get(address).text
    assert "千代田 花子" not in page
    assert visitor.get("/search/export.csv?range=all&dataset=city.resident_view").status_code == 403
    visitor.post("/reveal", scope="search", reason="漏えい件数の確認のため", back="/search")
    assert "千代田 花子" in visitor.get(address).text
    assert visitor.get("/search/export.csv?range=all&dataset=city.resident_view").status_code == 200
