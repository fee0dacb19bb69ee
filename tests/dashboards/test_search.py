"""Search, export and sources pages."""

import csv
import io
import json
import re

import pytest

from tests.dashboards.browse import browser
from tests.dashboards.city import City

ALL = "range=all"


def test_finds_and_counts(city: City) -> None:
    """The number of events, their raw lines, a histogram whose bars add up, and top values."""
    page = browser(city, "a.kansa").get(f"/search?{ALL}&q=user.name:+t.yamada&field=event.action").text
    assert "<h2>42 件" in page
    assert "窓口対応記録_039.xlsx" in page
    wide = page.split('class="chart chart-wide"')[1].split("</svg>")[0]
    assert sum(int(n.replace(",", "")) for n in re.findall(r"\d\d:\d\d ([\d,]+)</title>", wide)) == 42
    assert "FileDownloaded" in page


def test_pages_go_on_to_older_events(city: City) -> None:
    """The link to older events leads to others, and each event comes once."""
    visitor = browser(city, "m.kato", page_size=100)
    seen: list[str] = []
    path = f"/search?{ALL}&dataset=squid.access"
    while path:
        page = visitor.get(path).text
        seen += re.findall(r"<span class=\"mono\">(web-\d+)</span>", page)
        older = re.search(r'<a rel="next" href="([^"]+)"', page)
        path = older.group(1).replace("&amp;", "&") if older else ""
    assert len(seen) == 240
    assert len(set(seen)) == 240


def test_own_range_and_dataset(city: City) -> None:
    """A range in Japan time and a dataset narrow the search."""
    address = "/search?range=own&from=2026-11-20T04:00&to=2026-11-20T05:00&dataset=microsoft.m365_audit"
    assert "<h2>40 件" in browser(city, "m.kato").get(address).text


def test_a_field_that_no_log_has_is_said(city: City) -> None:
    """Nothing found by a product's own name is no sign that nothing happened; where the field is held nothing is said of it."""
    page = browser(city, "m.kato").get(f"/search?{ALL}&q=src_ip:+10.1.1.1").text
    assert "項目「src_ip」を持つログは保存されていません。近い名前: source.ip" in page
    page = browser(city, "m.kato").get(f"/search?{ALL}&q=source.ip:+192.0.2.254").text
    assert "条件に合うログはありません" in page and "を持つログは保存されていません" not in page


@pytest.mark.parametrize(
    "asked",
    [
        "q=user.name:(",
        "q=%22open",
        "range=own&from=x&to=y",
        "range=own&from=2026-11-20T05:00&to=2026-11-20T04:00",
        "range=own&from=0001-01-01T00:00&to=9999-12-31T00:00",
        "q=" + "(" * 200,
    ],
)
def test_bad_searches_are_explained(city: City, asked: str) -> None:
    """A query or time that cannot be read is a 400 with words and the query kept, never a 500."""
    answer = browser(city, "m.kato").get(f"/search?{asked}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_narrowing_link_means_exactly_this_value(city: City) -> None:
    """The link on a hostile value searches for that very value and finds its one event."""
    visitor = browser(city, "m.kato")
    page = visitor.get(f"/search?{ALL}&q=event.id:+vpn-hostile").text
    link = re.search(r'href="([^"]*user\.name[^"]*)"', page)
    assert link
    assert "<h2>1 件" in visitor.get(link.group(1).replace("&amp;", "&")).text


def test_csv_opens_safely(city: City) -> None:
    """All events, BOM and header; no cell that a spreadsheet would run; control characters gone."""
    answer = browser(city, "m.kato").get(f"/search/export.csv?{ALL}&dataset=fortinet.fortigate")
    assert answer.headers["content-disposition"].startswith('attachment; filename="hinomi-')
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 11
    assert rows[0][0] == "@timestamp"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows[1:] for cell in row)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_ndjson_holds_the_events_as_stored(city: City) -> None:
    """One JSON document a line with the raw line untouched."""
    answer = browser(city, "m.kato").get(f"/search/export.ndjson?{ALL}&q=event.id:+vpn-hostile")
    (event,) = [json.loads(line) for line in answer.text.splitlines()]
    assert "\x1b[31m" in event["event.original"]
    assert event["@timestamp"].startswith("2026-11-19T17:40:00")


def test_searches_and_exports_are_audited(own_city: City) -> None:
    """The query and the number of exported events are in the audit log."""
    visitor = browser(own_city, "m.kato")
    visitor.get(f"/search?{ALL}&q=t.yamada")
    visitor.get(f"/search/export.csv?{ALL}&dataset=squid.access")
    assert visitor.audited("console.search")[0]["target"] == "t.yamada"
    assert visitor.audited("console.export")[0]["details"]["events"] == 240


def test_sources_page_names_trouble(city: City) -> None:
    """Silent, faulty, waiting and healthy sources, dead letters by reason, what was left out."""
    page = browser(city, "a.kansa").get("/sources").text
    order = [
        page.index(words) for words in ("途絶えています", "読めない行が多い", "まだ届いていません", "受信中")
    ]
    assert order == sorted(order)
    for words in (
        "読めなかったログ(7日間で 3 件)",
        "形式が分からない",
        "伏せ字",
        "マイナンバー",
        "health_check",
    ):
        assert words in page, words
    assert page.count("isc.bind") == 1  # a pinned format is no health report, it has a list of its own
    assert page.index("受信中") < page.index("isc.bind")


def test_empty_store(bare_city: City) -> None:
    """Before the first event every page stands and says that there is nothing."""
    visitor = browser(bare_city, "m.kato")
    assert "条件に合うログはありません" in visitor.get("/search").text
    assert "まだ1件も保存していません" in visitor.get("/sources").text
    assert "報告書はまだありません" in visitor.get("/reports").text
    assert visitor.get("/search?range=all").status_code == 200
