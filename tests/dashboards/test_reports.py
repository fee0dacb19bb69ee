"""Reports: figures recomputed independently, no cell a formula, missing data said, signatures that notice a change."""

import io
import json
import re
import statistics
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pypdf
import pytest

from dashboards.console.rulebook import Rulebook
from dashboards.reporting import catalogue, signing
from dashboards.reporting.document import Document, Ingredients, Paragraph, Part, Table
from dashboards.reporting.figures import spread
from dashboards.reporting.html import html
from dashboards.reporting.machine import machine
from dashboards.reporting.pdf import pdf
from dashboards.reporting.period import fiscal_year, month, week
from dashboards.reporting.publish import publish
from dashboards.reporting.xlsx import xlsx
from hinomi.clock import JST
from hinomi.errors import InputError
from hinomi.incident import Incident
from ops.folders import packs_folder
from tests.dashboards.city import HOSTILE, NOW, City, seeded_city
from tests.dashboards.workbook import mistakes

KINDS = (
    "weekly-operations",
    "monthly-committee",
    "annual-compliance",
    "incident",
    "drill",
    "telework",
    "department",
    "daily-digest",
)
SUBJECTS = {"incident": "1"}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that these tests read."""
    made = seeded_city(tmp_path_factory.mktemp("reports"))
    yield made
    made.close()


def ingredients(city: City, subject: str = "") -> Ingredients:
    book = Rulebook([packs_folder()])
    return Ingredients(city.events, city.records, city.clock, "火の見市", subject, book)


@pytest.fixture(scope="module")
def documents(held: City) -> dict[str, Document]:
    """Every kind of report in Japanese."""
    of = {name: ingredients(held, SUBJECTS.get(name, "")) for name in KINDS}
    return {name: catalogue.find(name).make(of[name], NOW, "ja") for name in KINDS}


def test_every_kind_is_in_the_catalogue() -> None:
    """The list of kinds here is the list of the folder."""
    assert set(KINDS) == set(catalogue.kinds())


def test_periods() -> None:
    """Monday to Sunday, the month, April to March, in Japanese days; the edges belong where they should."""
    moment = datetime(2026, 4, 1, 0, 0, tzinfo=JST)
    assert week(moment).start == datetime(2026, 3, 30, tzinfo=JST)
    assert month(moment).end == datetime(2026, 5, 1, tzinfo=JST)
    assert fiscal_year(moment).start == moment
    assert fiscal_year(moment - timedelta(seconds=1)).start == datetime(2025, 4, 1, tzinfo=JST)
    assert fiscal_year(moment).holds(datetime(2027, 3, 31, 23, 59, tzinfo=JST))


def test_spread_against_the_standard_library() -> None:
    """Median and tail are those of `statistics`."""
    spans = [timedelta(minutes=n * n) for n in range(1, 12)]
    found = spread(spans)
    assert found.middle == timedelta(seconds=statistics.median(one.total_seconds() for one in spans))
    assert found.longest == timedelta(minutes=121)
    assert found.tail == timedelta(minutes=100)
    assert spread([]).middle is None


def test_figures_equal_what_the_records_say(held: City, documents: dict[str, Document]) -> None:
    """Counted again from the raw records, without the report's code: opened by grade, alerts by rule, events."""
    raw = [record.body for record in held.records.find("incident")]
    opened = {grade: sum(body["grade"] == grade for body in raw) for grade in (3, 2, 1, 0)}
    table = _tables(documents["weekly-operations"], 0)[0]
    assert [int(row[1]) for row in table.rows] == [opened[grade] for grade in (3, 2, 1, 0)]
    alerts: dict[str, int] = {}
    for record in held.records.find("alert"):
        alerts[record.body["title_ja"]] = alerts.get(record.body["title_ja"], 0) + 1
    rules = _tables(documents["monthly-committee"], 2)[0]
    assert {row[0]: int(row[1]) for row in rules.rows} == alerts
    totals = {row[0]: row[1] for row in _tables(documents["weekly-operations"], 4)[0].rows}
    assert totals["squid.access"] == "240"
    assert totals["microsoft.m365_audit"] == "40"
    taken = Incident.model_validate(next(b for b in raw if b["number"] == 2))
    assert taken.acknowledged_at is not None
    minutes = int((taken.acknowledged_at - taken.opened).total_seconds() // 60)
    shown = _tables(documents["weekly-operations"], 1)[0].rows[1]
    assert shown[1] == "2"
    assert f"{minutes}分" in shown[5]


def _tables(document: Document, part: int) -> list[Table]:
    return [block for block in document.parts[part].blocks if isinstance(block, Table)]


@pytest.mark.parametrize("name", KINDS)
def test_workbook_opens_and_holds_no_formula(documents: dict[str, Document], name: str) -> None:
    """Every sheet opens in a reader; no cell is a formula or link; figures are numbers; hostile text is text."""
    book = openpyxl.load_workbook(io.BytesIO(xlsx(documents[name])))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(book.sheetnames) == len(documents[name].parts) + 2
    assert all(cell.data_type in {"s", "n"} and cell.hyperlink is None for cell in cells)
    texts = [str(cell.value) for cell in cells if cell.data_type == "s"]
    assert not any("\x1b" in text or "\u202e" in text for text in texts)
    if name == "weekly-operations":
        assert any(isinstance(cell.value, (int, float)) for cell in cells)
        assert any("=HYPERLINK(1)" in text for text in texts)


@pytest.mark.parametrize("name", KINDS)
def test_workbook_is_as_excel_wants_it(documents: dict[str, Document], name: str) -> None:
    """Nothing in it that Excel repairs or refuses: types, relationships, names, counts, order of elements and cells, indices."""
    assert mistakes(xlsx(documents[name])) == []


_BROKEN = [
    (
        "xl/worksheets/sheet2.xml",
        "</worksheet>",
        '<dimension ref="A1"/></worksheet>',
        "elements out of order",
    ),
    ("xl/worksheets/sheet2.xml", r't="s"><v>\d+', 't="s"><v>99999', "a cell of no string"),
    ("xl/worksheets/sheet2.xml", r' s="\d+"', ' s="99"', "of no type or form"),
    ("xl/worksheets/sheet2.xml", r'r="B\d+"', 'r="A1"', "a cell out of order"),
    ("xl/_rels/workbook.xml.rels", "sheet2.xml", "sheet99.xml", "leads to"),
    ("[Content_Types].xml", r'<Override PartName="/xl/worksheets/sheet2.xml"[^>]*>', "", "has no type"),
    ("xl/workbook.xml", r'<sheet name="[^"]*"', '<sheet name="a:b"', "no name of a sheet"),
    ("xl/workbook.xml", r'<sheet name="[^"]*"', '<sheet name="history"', "no name of a sheet"),
    ("xl/workbook.xml", r'<sheet name="[^"]*"', '<sheet name="履歴"', "no name of a sheet"),
    ("xl/sharedStrings.xml", r'uniqueCount="\d+"', 'uniqueCount="1"', "not as many as they say"),
    ("xl/styles.xml", r'<cellXfs count="\d+"', '<cellXfs count="1"', "has not 1"),
]


@pytest.mark.parametrize(("part", "pattern", "instead", "told"), _BROKEN)
def test_a_broken_workbook_is_told(
    documents: dict[str, Document], part: str, pattern: str, instead: str, told: str
) -> None:
    """Each of the mistakes above, made in a good workbook, is found: the check can fail."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(documents["monthly-committee"]))) as held,
        zipfile.ZipFile(made, "w") as out,
    ):
        for name in held.namelist():
            text = held.read(name).decode()
            changed = re.sub(pattern, lambda _: instead, text, count=1) if name == part else text
            assert name != part or changed != text
            out.writestr(name, changed)
    assert any(told in line for line in mistakes(made.getvalue()))


@pytest.mark.parametrize("name", ["monthly-committee", "annual-compliance", "incident"])
def test_pdf_has_contents_embedded_fonts_and_its_words(documents: dict[str, Document], name: str) -> None:
    """The PDF names every part in its table of contents, embeds every font, and holds the first summary line."""
    reader = pypdf.PdfReader(io.BytesIO(pdf(documents[name])))
    text = "".join(page.extract_text() for page in reader.pages).replace("\n", "").replace(" ", "")
    assert "目次" in text
    for part in documents[name].parts:
        assert text.count(part.title.replace(" ", "")) >= 2, part.title
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():  # type: ignore[union-attr]
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(inner["/FontDescriptor"].get_object())


@pytest.mark.parametrize("name", KINDS)
def test_html_and_json_are_whole_and_inert(documents: dict[str, Document], name: str) -> None:
    """No script or image from a log line in the page; the JSON names every table's origin."""
    page = html(documents[name]).decode()
    # words are not broken in a narrow column: a table wider than the screen scrolls by itself, within its own frame
    assert page.count("<table>") == page.count('<div class="scroll" tabindex="0" role="region"')
    assert "td{overflow-wrap:break-word" in page
    assert "<script" not in page
    assert "<img" not in page
    data = json.loads(machine(documents[name]))
    assert data["format"] == "hinomi-report/1"
    assert data["origins"]
    assert [part["title"] for part in data["parts"]] == [part.title for part in documents[name].parts]


def test_each_of_the_sixty_controls_is_judged(documents: dict[str, Document]) -> None:
    """Sixty rows, each with a state, its evidence or what a person must confirm, its confidence and source."""
    rows = [
        row
        for part in documents["annual-compliance"].parts[1:-1]
        for b in part.blocks
        if isinstance(b, Table)
        for row in b.rows
    ]
    assert len(rows) == 60
    assert {row[2] for row in rows} <= {"証拠あり", "不足あり", "人の確認待ち", "例外として承認"}
    assert all(row[3] != "—" and row[4] for row in rows)


def test_english_reports_have_no_japanese_but_data(held: City) -> None:
    """Heads and parts of every report exist in English."""
    for name in KINDS:
        document = catalogue.find(name).make(ingredients(held, SUBJECTS.get(name, "")), NOW, "en")
        for part in document.parts:
            heads = [part.title, *(word for b in part.blocks if isinstance(b, Table) for word in b.head)]
            assert not any("\u3041" <= sign <= "\u9fff" for word in heads for sign in word), (name, heads)


def test_missing_data_is_said(held: City, documents: dict[str, Document]) -> None:
    """A telework month without a record is said to be unknown, not zero; days without logs are named."""
    long_ago = catalogue.find("telework").make(ingredients(held), NOW - timedelta(days=90), "ja")
    assert "1件もありません" in long_ago.summary[0]
    gaps = {row[0]: row[2] for row in _tables(documents["weekly-operations"], 4)[0].rows}
    assert "記録のない日が" in gaps["squid.access"]


def test_a_report_has_no_silent_blank_and_no_query_in_a_narrow_column(held: City) -> None:
    """An incident of which nothing is recorded says so, heads of tables are bare names, an empty cell is a dash, and what was asked in
    many lines stands below the table."""
    bare = Incident.model_validate(held.records.find("incident", {"number": 1})[0].body | {"timeline": []})
    held.records.put(
        "incident",
        "inc-bare",
        bare.model_copy(update={"id": "inc-bare", "number": 77}).model_dump(mode="json"),
    )
    made = catalogue.find("incident").make(ingredients(held, "77"), NOW, "ja")
    held.records.delete("incident", "inc-bare")
    assert "経過の記録はありません。" in html(made).decode()
    heads = [name for n in range(len(made.parts)) for table in _tables(made, n) for name in table.head]
    assert not [name for name in heads if name.endswith((":", "："))]
    dashed = replace(made, parts=[Part("p", [Table(("a", "b"), [("", "x")])])])
    assert "<td>—</td>" in html(dashed).decode()
    telework = catalogue.find("telework").make(ingredients(held), NOW, "ja")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf(telework))).pages)
    assert "connected = (event.dataset" in text.replace("\n", " ")


def test_incident_report_needs_its_number(held: City) -> None:
    """Without a number the error says how to give it."""
    with pytest.raises(InputError, match="--subject"):
        catalogue.find("incident").make(ingredients(held, ""), NOW, "ja")
    with pytest.raises(InputError):
        catalogue.find("incident").make(ingredients(held, "9999"), NOW, "ja")


def test_signature_notices_a_change(held: City, tmp_path: Path, documents: dict[str, Document]) -> None:
    """Every file is named and hashed; a changed byte, a changed manifest and another key are noticed."""
    signer = signing.key(tmp_path / "report.key")
    assert (tmp_path / "report.key").stat().st_mode & 0o777 == 0o600
    made = publish(documents["drill"], tmp_path, None, signer)
    manifest = next(one.path for one in made if one.path.name.endswith(signing.ENDING))
    print_of_key = json.loads(manifest.read_bytes())["fingerprint"]
    assert set(signing.verify(manifest, known=print_of_key).values()) == {True}
    assert len(signing.verify(manifest)) == 4
    with pytest.raises(InputError):
        signing.verify(manifest, known="0" * 64)
    page = next(one.path for one in made if one.path.suffix == ".html")
    page.write_bytes(page.read_bytes() + b" ")
    assert signing.verify(manifest)[page.name] is False
    manifest.write_bytes(manifest.read_bytes().replace(b'"drill-', b'"drilI-'))
    with pytest.raises(InputError):
        signing.verify(manifest)


def test_hostile_incident_in_every_form(held: City) -> None:
    """The report of the incident whose name is an attack holds it as text in all four forms."""
    document = catalogue.find("incident").make(ingredients(held, "3"), NOW, "ja")
    assert HOSTILE in document.summary[0]
    assert b"<script>alert" not in html(document)
    assert b"\\u001b" in machine(document)
    assert pdf(document).startswith(b"%PDF")
    assert xlsx(document)


def test_no_text_breaks_the_workbook(documents: dict[str, Document]) -> None:
    """What a log line may hold is a text in its cell, and every part of the file is XML: markup that xlsxwriter would let through,
    signs that XML has none of, more than a cell takes, Excel's own escapes, formulas. Ids of digits stay texts without a warning,
    figures are shown as they are written."""
    hostile = ["<r><t>x</t></r>", "<r>&<x></r>", "a\ufffe\uffffb", "_x000D_", "=1+1", "\ud800", "0101039424"]
    rows = [(text, "12", "1,234.5", "97%", "97.5%") for text in [*hostile, "\U0001f600" * 40_000]]
    table = Table(("text", "whole", "fraction", "share", "fine"), rows, figures=(1, 2, 3, 4))
    title = "[History]: a title that is much longer than thirty-one signs"
    parts = [Part(one, [table]) for one in (title, title.upper(), "History", "履歴", "'a'")]
    content = xlsx(replace(documents["drill"], parts=parts))
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        for name in held.namelist():
            ElementTree.fromstring(held.read(name))
        sheet = held.read("xl/worksheets/sheet2.xml").decode()
    assert 'numberStoredAsText="1"' in sheet and "<f>" not in sheet
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert mistakes(content) == []
    cells = [list(row) for row in book[book.sheetnames[1]].iter_rows(min_row=4)]
    assert [row[0].value for row in cells[:3]] == ["<r><t>x</t></r> ", "<r>&<x></r> ", "a\\ufffe\\uffffb"]
    assert {row[0].data_type for row in cells} == {"s"}
    assert len(str(cells[7][0].value).encode("utf-16-le")) <= 2 * 32_767
    assert [cell.number_format for cell in cells[0][1:]] == ["#,##0", "#,##0.0##", "0%", "0.0#%"]


def test_english_words_stand_apart(held: City) -> None:
    """What is said in brackets after an English word has a space before it; a plan's state and its being a dry run are two things;
    an exception's end is a time in Japan."""
    made = {
        name: catalogue.find(name).make(ingredients(held, SUBJECTS.get(name, "")), NOW, "en")
        for name in KINDS
    }
    cells = [
        cell
        for document in made.values()
        for part in document.parts
        for block in part.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    glued = re.compile(r"[a-z]\((inferred|[^\x00-\x7f])")
    assert [cell for cell in cells if glued.search(cell)] == []
    assert any("(inferred)" in cell for cell in cells) and any("verified (" in cell for cell in cells)
    said = [
        block.text for part in made["incident"].parts for block in part.blocks if isinstance(block, Paragraph)
    ]
    assert any(text.endswith("waiting for approval — Dry run") for text in said)


def test_no_line_of_a_cell_is_cut(documents: dict[str, Document]) -> None:
    """A row is as high as the lines that Calibri 11 takes there, seven pixels a half-width sign and 14.67 a full-width one, filled
    sign by sign; a short cell's is one line high."""
    texts = ["火" * n for n in (10, 25, 28, 57, 84, 85, 140, 500)] + ["ログ log 12 " * 20, "x" * 200]
    tables = [Table(("a", "b"), [(text, "1")]) for text in texts]
    narrow = Table(("a", "b"), [*[("1", "火火火火")] * 200, ("1", "火" * 26)])
    heights = []
    for table in (*tables, narrow):
        part = Part("t", [table])
        book = openpyxl.load_workbook(io.BytesIO(xlsx(replace(documents["drill"], parts=[part]))))
        sheet = book[book.sheetnames[1]]
        last, column = 3 + len(table.rows), "B" if table is narrow else "A"
        room, lines, left = 7 * int(sheet.column_dimensions[column].width), 0, 0.0
        for sign in str(sheet[f"{column}{last}"].value):
            wide = 7 if sign.isascii() else 11 * 96 / 72
            lines, left = (lines, left - wide) if left >= wide else (lines + 1, room - wide)
        heights.append((sheet.row_dimensions[last].height or 15) / 15)
        assert lines <= heights[-1] <= lines + 1 + lines // 4, (column, lines, heights[-1])
    assert heights[:2] == [1, 1]


def test_sheets_are_wide_and_high_enough(documents: dict[str, Document]) -> None:
    """Two tables of a sheet share its columns: each is as wide as its widest cell; a long cell's row is as high as its lines; a
    sheet is printed on pages as wide as it is."""
    tables = [Table(("a", "b"), [("x" * 40, "1")]), Table(("a", "b"), [("y", "z" * 130)])]
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx(replace(documents["drill"], parts=[Part("t", list(tables))])))
    )
    sheet = book[book.sheetnames[1]]
    assert sheet.column_dimensions["A"].width >= 42 and sheet.column_dimensions["B"].width >= 60
    assert [sheet.row_dimensions[row].height for row in (4, 8)] == [None, 45]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
