"""The daily digest: what it says of a day, its files, and that a PDF never lacks a sign."""

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pypdf import PdfReader

from dashboards.reporting import catalogue
from dashboards.reporting.document import Document, Ingredients
from dashboards.reporting.fonts import fonts
from dashboards.reporting.glyphs import coverage, drawable
from dashboards.reporting.pdf import pdf
from dashboards.reporting.publish import publish
from dashboards.reporting.volumes import expectation, runs
from hinomi import fonts as font_files
from hinomi.batch import Batch
from hinomi.clock import JST
from hinomi.errors import DependencyDown, InputError
from hinomi.store import Bucket
from hinomi.words import Language, Words
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City, at


def _digest(city: City, language: Language = "ja", day: datetime = NOW) -> Document:
    ingredients = Ingredients(city.events, city.records, city.clock, "火の見市")
    return catalogue.find("daily-digest").make(ingredients, day, language)


def _text(content: bytes) -> str:
    """Text of a PDF without blanks, which line breaks and spacing between scripts put in."""
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return re.sub(r"\s", "", "".join(pages))


def test_summary_tells_the_day(city: City) -> None:
    """Opened, closed and open incidents, who is missing, how much arrived."""
    first, state, second, third, *_ = _digest(city).summary
    assert first == "この日に起きたインシデントは 2 件、この日に検知したインシデントは 2 件です。"
    assert state == "この日に完了したのは 0 件、いま未完了は 3 件です。"
    assert second.startswith("2 件に対応者がいません。最も急ぐのは #1「VPN アカウント t.yamada")
    assert "285 件" in third  # 5 of the 290 came in the hour that is not over


def test_a_day_that_was_taken_in_later(own_city: City) -> None:
    """What happened stands in the digest of its day although it was found two days later, and the digest of the later
    day says of which day its detections are; neither counts as the other."""
    record = own_city.records.get("incident", "inc-1")
    assert record is not None
    later = at("09:00", day=22).isoformat()
    own_city.records.put("incident", "inc-1", {**record.body, "opened": later})
    for one in own_city.records.find("alert"):
        if one.id in record.body["alert_ids"]:
            own_city.records.put("alert", one.id, {**one.body, "detected": later})
    own_city.clock.time = at("12:00", day=22)
    day, after = _digest(own_city, day=NOW), _digest(own_city, day=at("12:00", day=22))
    assert "この日に起きたインシデントは 2 件、この日に検知したインシデントは 1 件です。" in day.summary
    assert "この日に起きたうち 1 件は、後日(2026年11月22日(日))に検知しました。" in day.summary
    assert "この日に検知したうち 1 件は、別の日(2026年11月20日(金))に起きたものです。" in after.summary
    listed = [block for block in day.parts[0].blocks if hasattr(block, "rows")][1]
    assert ["#1", "11/22 09:00"] in [[row[0], row[-1]] for row in listed.rows]
    counted = next(block for block in day.parts[2].blocks if hasattr(block, "rows"))
    assert any(row[3:] == ("1", "0") for row in counted.rows)


def test_acknowledgement_times(own_city: City) -> None:
    """The median and longest wait of the taken ones; whoever waits is named."""
    browser(own_city, "m.kato").post("/incidents/1/acknowledge")
    texts = [block.text for block in _digest(own_city).parts[1].blocks if hasattr(block, "text")]
    assert "1 件で対応を始めました。検知から対応開始までの中央値は5時間30分" in texts[0]
    assert "#3 は検知から6時間45分たっても" in texts[1]


def test_pdf_is_japanese_and_whole(city: City) -> None:
    """Every font is embedded, the text comes out as Japanese, and hostile text as visible text."""
    content = pdf(_digest(city))
    text = _text(content)
    for words in ("セキュリティ監視日報", "2026年11月20日(金)", "VPNアカウントt.yamadaが侵害された疑い"):
        assert words in text, words
    assert r"\x1b[31mred" in text
    embedded = [font for page in PdfReader(io.BytesIO(content)).pages for font in _fonts_of(page)]
    assert embedded
    assert all("FontFile3" in font or "FontFile2" in font for font in embedded)


def _fonts_of(page: object) -> Iterator[list[str]]:
    for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
        for part in font.get_object().get("/DescendantFonts", []):
            yield [key.strip("/") for key in part.get_object()["/FontDescriptor"].get_object()]


def test_no_sign_without_glyph(own_city: City) -> None:
    """What no font can draw stands as its number; rare kanji and names are drawn."""
    files = fonts()
    assert drawable("髙橋 﨑山 𠮷野 t.yamada", files) == "髙橋 﨑山 𠮷野 t.yamada"
    assert drawable("a\U0001f600b\u0e01", [files[0]]) == "a〔U+1F600〕b〔U+0E01〕"
    assert all(len(coverage(path)) > 10_000 for path in files)
    record = own_city.records.get("incident", "inc-1")
    assert record is not None
    own_city.records.put("incident", "inc-1", {**record.body, "title_ja": "絵文字 \U0001f600 と ไทย"})
    assert "絵文字〔U+1F600〕と〔U+0E44〕" in _text(pdf(_digest(own_city)))


def test_no_font_is_said_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any Japanese font there is no PDF but an error that says what to install."""
    monkeypatch.setattr(font_files, "_packaged", lambda: None)
    monkeypatch.setattr(font_files, "_system", lambda: None)
    with pytest.raises(DependencyDown, match="fonts-noto-cjk"):
        font_files.fonts.__wrapped__()


def test_files_hashes_and_console(own_city: City, tmp_path: Path) -> None:
    """HTML and PDF with matching SHA-256 files; the console lists and serves them, nothing else."""
    made = publish(_digest(own_city), tmp_path / "reports", own_city.records)
    for one in made:
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256
        beside = one.path.with_name(one.path.name + ".sha256")
        assert beside.read_text() == f"{one.sha256}  {one.path.name}\n"
    visitor = browser(own_city, "a.kansa")
    assert made[1].path.name in visitor.get("/reports").text
    answer = visitor.get(f"/reports/{made[0].path.name}")
    assert answer.content == made[0].path.read_bytes()
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]
    assert visitor.get(f"/reports/{made[1].path.name}").content.startswith(b"%PDF")
    for name in ("..%2f..%2fetc%2fpasswd", made[0].path.name + ".sha256", "records.sqlite"):
        assert visitor.get(f"/reports/{name}").status_code in {400, 404}
    assert not list((tmp_path / "reports").glob(".*"))


def test_the_oldest_of_many_reports_is_listed_and_given(own_city: City, tmp_path: Path) -> None:
    """However many there are: a page at a time, and a file is found by its report and not by reading all of them."""
    [oldest, *_] = publish(_digest(own_city, day=NOW - timedelta(days=400)), tmp_path, own_city.records)
    held = own_city.records.find("report")[0]
    own_city.records.put("report", held.id, {**held.body, "created": "2025-01-01T00:00:00+00:00"})
    for n in range(250):
        body = {**held.body, "created": f"2026-01-01T00:00:00.{n:06}+00:00", "files": []}
        own_city.records.put("report", f"a-{n}", body)
    visitor = browser(own_city, "a.kansa")
    pages = [visitor.get(f"/reports?page={page}").text for page in (1, 2, 3)]
    assert [oldest.path.name in page for page in pages] == [False, False, True]
    assert 'href="/reports?page=2"' in pages[0] and "page=4" not in pages[2]
    assert visitor.get(f"/reports/{oldest.path.name}").content == oldest.path.read_bytes()


def test_html_needs_nothing_and_runs_nothing(own_city: City, tmp_path: Path) -> None:
    """No script, no address outside, hostile text inert."""
    page = publish(_digest(own_city), tmp_path)[0].path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r'(?:href|src)="', page)
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page)


def test_english_has_no_japanese_of_ours(own_city: City) -> None:
    """In English only names from the data stay Japanese."""
    document = _digest(own_city, "en")
    ours = " ".join([*(part.title for part in document.parts), *(one.figure for one in document.origins)])
    assert not re.search(r"[\u3041-\u30ff\u4e00-\u9fff]", ours)


def test_each_figure_has_its_origin(city: City) -> None:
    """The appendix names query and range of the incidents, the alerts and every dataset."""
    document = _digest(city)
    asked = " ".join(f"{one.figure} {one.asked}" for one in document.origins)
    for words in ("opened", "acknowledged_at", "rule_name", "squid.access", "fortinet.fortigate"):
        assert words in asked
    assert all(one.start == document.start for one in document.origins if one.start)


def test_growth_since_yesterday(own_city: City, tmp_path: Path) -> None:
    """Totals turn into the day's own numbers once there is a digest of the day before."""
    publish(_digest(own_city, day=NOW - timedelta(days=1)), tmp_path, own_city.records)
    held = own_city.records.get("count", "1")
    assert held is not None
    own_city.records.put("count", "1", {**held.body, "n": held.body["n"] + 7})
    rows = _digest(own_city).parts[4].blocks[0].rows  # type: ignore[union-attr]
    assert ("除外", "squid.access", "health_check", "7", "487") in rows


def test_growth_is_since_the_same_towers_digest(own_city: City, tmp_path: Path) -> None:
    """Not since an organisation's of the same day: that one holds no totals, and its name sorts first."""
    before = NOW - timedelta(days=1)
    names = {"higashi": Words("東町", "East")}
    whole = Ingredients(own_city.events, own_city.records, own_city.clock, "火の見市", organizations=names)
    for of in (whole, whole.part_of("higashi")):
        publish(catalogue.find("daily-digest").document(of, before, "ja"), tmp_path, own_city.records)
    rows = _digest(own_city).parts[4].blocks[0].rows  # type: ignore[union-attr]
    assert ("除外", "squid.access", "health_check", "0", "480") in rows


def test_gaps_are_told_from_quiet_hours(bare_city: City) -> None:
    """A steady source that stops for three hours is a gap in words; a sparse one is not judged."""
    hours = [hour for hour in range(24) if hour not in (10, 11, 12)]
    rows = [
        {"@timestamp": at(f"{hour:02}:00", 19) + timedelta(minutes=n), "event.id": f"s{hour}-{n}"}
        for hour in hours
        for n in range(40)
    ]
    sparse = [{"@timestamp": at("09:00", 19), "event.id": "one"}]
    for name, events in (("squid.access", rows), ("city.portal_application", sparse)):
        bare_city.events.append([Batch.of(name, pl.DataFrame(events), ingested=NOW)])
    document = _digest(bare_city, day=NOW - timedelta(days=1))
    table = {row[0]: row[2] for row in document.parts[3].blocks[2].rows}  # type: ignore[union-attr]
    assert table["squid.access"] == "10:00〜13:00 の3時間、記録がありません"
    assert table["city.portal_application"] == "件数が少なく、途切れかどうかは判断できません"
    assert "途切れた、または届いていないログがあります: squid.access" in document.summary[-1]


def test_office_hours_source_is_expected_in_office_hours() -> None:
    """After five days of 9 to 17 an empty noon is a gap and an empty night is not."""
    start = datetime(2026, 11, 13, tzinfo=JST)
    past = [
        Bucket(start + timedelta(hours=n), 3 if 9 <= n % 24 < 17 and n < 5 * 24 else 0) for n in range(168)
    ]
    assert expectation([], past) == set(range(9, 17))
    silent = [Bucket(start + timedelta(hours=n), 0) for n in (3, 4, 9)]
    assert [int((end - begin).total_seconds()) // 3600 for begin, end in runs(silent)] == [2, 1]


def test_empty_store_and_a_day_to_come(bare_city: City) -> None:
    """Nothing at all still makes a report in words, also for a day that has not begun."""
    assert "インシデントは0件" in _text(pdf(_digest(bare_city)))
    assert pdf(_digest(bare_city, "en", NOW + timedelta(days=2))).startswith(b"%PDF")


def test_same_day_same_bytes(city: City) -> None:
    """Made twice from the same data the PDF is the same file, so hashes can be compared."""
    assert pdf(_digest(city)) == pdf(_digest(city))


def test_unknown_report_names_the_known() -> None:
    """A slip in a report's name is answered with the names there are."""
    with pytest.raises(InputError, match="daily-digest"):
        catalogue.find("weekly-digset")
