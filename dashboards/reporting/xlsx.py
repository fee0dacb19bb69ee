"""A report as a workbook: a sheet a part, texts as texts. No cell is ever a formula, whatever a log line held.

Facts: OWASP, CSV Injection (cells that begin with = + - @ tab or return); a workbook says for each cell what it is, so
text stays text. Excel takes at most 31 characters and none of []:*?/\\ in a sheet's name, and 32,767 UTF-16 units in a cell
(Microsoft, Excel specifications and limits); its green corners warn of digits kept as text (ECMA-376, ignoredErrors). A
column of width n shows n digits of Calibri 11, 7 pixels each at 96 dpi (18.3.1.13, col); a full-width sign of 11 points has 14.67.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from dashboards import times
from dashboards.reporting.document import Block, Chart, Document, Part, Table
from dashboards.texts import Texts
from hinomi.text import inert

_NUMBER = re.compile(r"-?\d{1,3}(,\d{3})*(\.\d+)?$|-?\d+(\.\d+)?$")
_SHARE = re.compile(r"\d+(\.\d+)?%$")
_NO_SHEET = re.compile(r"[\[\]:*?/\\']")
_LONGEST, _WIDEST, _SPARE = 32_000, 60, 2
"""UTF-16 units of a cell; half-width signs of a column, and those that a line may leave empty before a full-width one."""
_EVERYWHERE = "A1:XFD1048576"
_A4, _HEIGHT, _TALLEST = 9, 15, 25  # a paper of Excel's list, points of a line, lines that a row may show


def xlsx(document: Document) -> bytes:
    """The workbook."""
    held = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(held, options) as book:
        about = {"title": document.title.of(document.language), "author": document.organization}
        book.set_properties({**about, "created": document.created.replace(tzinfo=None)})
        _Writer(book, Texts(document.language)).write(document)
    return held.getvalue()


class _Writer:
    def __init__(self, book: xlsxwriter.Workbook, texts: Texts) -> None:
        self.book, self.texts = book, texts
        self.head = book.add_format(
            {"bold": True, "bg_color": "#ECEAE4", "border": 1, "text_wrap": True, "valign": "top"}
        )
        self.cell = book.add_format({"text_wrap": True, "valign": "top"})
        self.figure = book.add_format({"num_format": "#,##0", "valign": "top"})
        self.fraction = book.add_format({"num_format": "#,##0.0##", "valign": "top"})
        self.share = book.add_format({"num_format": "0%", "valign": "top"})
        self.fine_share = book.add_format({"num_format": "0.0#%", "valign": "top"})
        self.title = book.add_format({"bold": True, "font_size": 14})
        # words beside tables run on over the empty cells to their right
        self.words = book.add_format({"valign": "top"})
        self.names = {"history", "履歴"}  # which Excel keeps for itself, in English and in Japanese

    def write(self, document: Document) -> None:
        first = self._sheet(self.texts("xlsx.summary"))
        lines = [
            document.title.of(document.language),
            f"{times.full(document.start)} – {times.full(document.end)}",
            f"{self.texts('digest.made')} {times.full(document.created)}",
            *document.summary,
        ]
        first.set_column(0, 0, 100)
        for row, line in enumerate(lines):
            self._text(first, row, 0, line, self.title if row == 0 else self.cell)
        for part in document.parts:
            self._part(part)
        self._origins(document)

    def _part(self, part: Part) -> None:
        sheet, row = self._sheet(part.title), 0
        widths = _widen(sheet, [block for block in part.blocks if isinstance(block, Table)])
        self._text(sheet, row, 0, part.title, self.title)
        row += 2
        for block in part.blocks:
            if isinstance(block, Table) and block.rows:
                row = self._table(sheet, row, block, widths)
            else:
                self._text(sheet, row, 0, _said(block), self.words)
            row += 2

    def _table(self, sheet: Any, row: int, table: Table, widths: Sequence[int]) -> int:
        for column, name in enumerate(table.head):
            self._text(sheet, row, column, name, self.head)
        for at, line in enumerate(table.rows, row + 1):
            sheet.set_row(at, _HEIGHT * _lines(line, widths))
            for column, value in enumerate(line):
                self._value(sheet, at, column, value, number=column in table.figures)
        return row + len(table.rows) + 1

    def _value(self, sheet: Any, row: int, column: int, value: str, *, number: bool) -> None:
        """A figure as a number, so that it can be added up; everything else as text."""
        if number and _NUMBER.match(value):
            form = self.fraction if "." in value else self.figure
            sheet.write_number(row, column, float(value.replace(",", "")), form)
        elif number and _SHARE.match(value):
            form = self.fine_share if "." in value else self.share
            sheet.write_number(row, column, float(value[:-1]) / 100, form)
        else:
            self._text(sheet, row, column, value, self.cell)

    def _text(self, sheet: Any, row: int, column: int, value: str, form: Any) -> None:
        sheet.write_string(row, column, _plain(_fitting(inert(value))), form)

    def _sheet(self, title: str) -> Any:
        clean = _NO_SHEET.sub(" ", inert(title)).strip()[:28] or "-"
        name, number = clean, 2
        while name.lower() in self.names:
            name, number = f"{clean[:25]} {number}", number + 1
        self.names.add(name.lower())
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)  # printed, a row is not torn over two pages
        sheet.ignore_errors({"number_stored_as_text": _EVERYWHERE})  # an id of digits is no figure
        return sheet

    def _origins(self, document: Document) -> None:
        sheet = self._sheet(self.texts("digest.appendix"))
        rows = [(one.figure, one.asked, _when(one.start), _when(one.end)) for one in document.origins]
        head = tuple(
            self.texts(key) for key in ("digest.figure", "digest.asked", "reports.from", "reports.to")
        )
        table = Table(head, rows)
        self._table(sheet, 0, table, _widen(sheet, [table]))


def _said(block: Block) -> str:
    """What a block says in words: of a chart its caption, of a table without rows why there are none."""
    if isinstance(block, Table):
        return block.empty
    return block.caption if isinstance(block, Chart) else block.text


def _widen(sheet: Any, tables: Sequence[Table]) -> list[int]:
    """Make each column as wide as the widest cell that any of the sheet's tables has there; how wide, in half-width characters."""
    widths: list[int] = []
    for table in tables:
        for column, name in enumerate(table.head):
            wide = max([_width(name), *(_width(row[column]) for row in table.rows[:200])])
            widths += [0] * (column + 1 - len(widths))
            widths[column] = max(widths[column], min(_WIDEST, wide + _SPARE))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> int:
    """How many lines the row's tallest cell takes; programs do not all find that out by themselves."""
    shown = zip(row, widths, strict=False)
    lines = (-(-_width(inert(cell)) // (width - _SPARE)) for cell, width in shown)
    return min(_TALLEST, max([1, *lines]))


def _fitting(text: str) -> str:
    """As much of the text as a cell takes; a sign beyond the first plane is two units."""
    if len(text) <= _LONGEST // 2:
        return text
    return text.encode("utf-16-le")[: 2 * _LONGEST].decode("utf-16-le", "ignore")


def _plain(text: str) -> str:
    """The text, never taken for markup: xlsxwriter writes what begins with <r> and ends with </r> as it is, as rich text of its
    own making (SharedStrings._write_si), and a log line can say that."""
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _when(moment: Any) -> str:
    return times.full(moment) if moment else "—"


def _width(text: str) -> int:
    """Of the longest line, in half-width signs."""
    tenths = (sum(21 if ord(sign) > 0x2E7F else 10 for sign in line) for line in text.split("\n"))
    return -(-max(tenths, default=0) // 10)
