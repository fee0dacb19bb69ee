"""What is wrong with a workbook, as far as its parts tell: what Excel repairs, or refuses to open.

Facts: ECMA-376 part 1 (18.3.1.99 worksheet: its elements in this order; 18.3.1.4 c; 18.4.9 sst; 18.8.10 cellXfs; 18.2.19 sheet), part 2
(10.1.2 content types, 9.3 relationships); Microsoft, Excel: rename a worksheet (31 signs, none of []:*?/\\, no ' at an end, not History,
which is 履歴 in Japanese).
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from openpyxl.utils.cell import coordinate_to_tuple

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_ORDER = (
    " sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection protectedRanges"
    " scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells phoneticPr conditionalFormatting"
    " dataValidations hyperlinks printOptions pageMargins pageSetup headerFooter rowBreaks colBreaks customProperties"
    " cellWatches ignoredErrors smartTags drawing legacyDrawing legacyDrawingHF drawingHF picture oleObjects"
    " controls webPublishItems tableParts extLst "
)
_NAME = re.compile(r"(?!')[^\[\]:*?/\\]{1,31}(?<!')")


def mistakes(content: bytes) -> list[str]:
    """Each mistake in a line; none where there is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        parts = {name: held.read(name) for name in held.namelist()}
        twice = len(held.namelist()) - len(parts)
    trees = {name: ElementTree.fromstring(text) for name, text in parts.items()}
    strings = trees["xl/sharedStrings.xml"]
    forms = len(trees["xl/styles.xml"].findall(f"{_MAIN}cellXfs/{_MAIN}xf"))
    sheets = [(name, tree) for name, tree in trees.items() if name.startswith("xl/worksheets/sheet")]
    asked = sum(cell.get("t") == "s" for _, tree in sheets for cell in tree.iter(f"{_MAIN}c"))
    return [
        *["a part comes twice"] * twice,
        *_untyped(trees),
        *_leading_nowhere(trees),
        *_of_names(trees["xl/workbook.xml"]),
        *_of_counts(trees["xl/styles.xml"], strings, asked),
        *(f"{name}: {told}" for name, tree in sheets for told in _of_sheet(tree, len(strings), forms)),
    ]


def _untyped(trees: dict[str, ElementTree.Element]) -> Iterator[str]:
    types = trees["[Content_Types].xml"]
    named = {one.get("PartName", "").lstrip("/") for one in types if "PartName" in one.attrib}
    endings = {one.get("Extension") for one in types if one.get("Extension") != "xml"}
    for name in trees.keys() - named - {"[Content_Types].xml"}:
        if name.rpartition(".")[2] not in endings:
            yield f"{name} has no type"
    yield from (f"the type of {name}, which is not there" for name in named - trees.keys())


def _leading_nowhere(trees: dict[str, ElementTree.Element]) -> Iterator[str]:
    for name, tree in trees.items():
        if not name.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(name))
        for one in tree:
            if posixpath.normpath(posixpath.join(folder, one.get("Target", ""))) not in trees:
                yield f"{name} leads to {one.get('Target')}, which is not there"
        if name.endswith("workbook.xml.rels"):
            known = {one.get("Id") for one in tree}
            sheets = trees["xl/workbook.xml"].iter(f"{_MAIN}sheet")
            yield from (
                f"a sheet of no part: {one.get('name')}"
                for one in sheets
                if one.get(f"{_REL}id") not in known
            )


def _of_names(book: ElementTree.Element) -> Iterator[str]:
    names = [str(one.get("name")) for one in book.iter(f"{_MAIN}sheet")]
    yield from (
        f"no name of a sheet: {name}"
        for name in names
        if not _NAME.fullmatch(name) or name.lower() in {"history", "履歴"}
    )
    if len({name.casefold() for name in names}) != len(names):
        yield "two sheets of one name"
    for defined in book.iter(f"{_MAIN}definedName"):
        if int(defined.get("localSheetId", "0")) >= len(names):
            yield f"a name of no sheet: {defined.get('name')}"


def _of_counts(styles: ElementTree.Element, strings: ElementTree.Element, asked: int) -> Iterator[str]:
    yield from (
        f"{one.tag} has not {one.get('count')}"
        for one in styles
        if one.get("count", str(len(one))) != str(len(one))
    )
    if (strings.get("uniqueCount"), strings.get("count")) != (str(len(strings)), str(asked)):
        yield "the strings are not as many as they say"


def _of_sheet(sheet: ElementTree.Element, strings: int, forms: int) -> Iterator[str]:
    order = [_ORDER.index(f" {one.tag.removeprefix(_MAIN)} ") for one in sheet]
    if order != sorted(set(order)):
        yield "elements out of order"
    last = (0, 0)
    for row in sheet.iter(f"{_MAIN}row"):
        for cell in row:
            place = coordinate_to_tuple(str(cell.get("r")))
            if place <= last or place[0] != int(str(row.get("r"))):
                yield f"a cell out of order: {cell.get('r')}"
            last = place
            value = cell.findtext(f"{_MAIN}v") or ""
            if cell.get("t", "n") not in {"s", "n"} or int(cell.get("s", "0")) >= forms:
                yield f"a cell of no type or form: {cell.get('r')}"
            if cell.get("t") == "s" and not (value.isdigit() and int(value) < strings):
                yield f"a cell of no string: {cell.get('r')}"
