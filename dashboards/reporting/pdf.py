"""A report as PDF (A4), set by Typst with fonts that are embedded.

Values travel as JSON data, never as Typst source, so hostile text cannot become markup.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typst

from dashboards import times
from dashboards.reporting.document import Block, Chart, Document, Origin, Paragraph, Part
from dashboards.reporting.fonts import FAMILIES, fonts
from dashboards.reporting.glyphs import drawable
from dashboards.texts import Texts

_TEMPLATE = Path(__file__).parent / "templates" / "report.typ"
_WIDEST, _NARROWEST, _WHOLE = 34, 5, 16


def pdf(document: Document) -> bytes:
    """The PDF file. Raises DependencyDown when no Japanese font is there."""
    files = fonts()
    data = _drawable(_data(document), lambda text: drawable(text, files))
    made = typst.compile(
        str(_TEMPLATE),
        format="pdf",
        font_paths=typst.Fonts(
            include_system_fonts=False, font_paths=sorted({str(path.parent) for path in files})
        ),
        sys_inputs={"report": json.dumps(data, ensure_ascii=False)},
        timestamp=document.created.replace(microsecond=0),  # what typst takes
    )
    assert isinstance(made, bytes)
    return made


def _data(document: Document) -> dict[str, Any]:
    texts = Texts(document.language)
    day = times.period(document.start, document.end, document.language)
    title = document.title.of(document.language)
    author = document.organization or texts("brand.short")
    period = f"{times.full(document.start)} – {times.full(document.end)}"
    made = f"{texts('digest.made')} {times.full(document.created)}"
    appendix = Part(texts("digest.appendix"), [Paragraph(texts("digest.appendix_lead"), "small")])
    parts = [
        _part(Part(f"{number}. {part.title}", part.blocks)) for number, part in enumerate(document.parts, 1)
    ]
    last = _part(appendix)
    last["blocks"] += _origins(document, texts)
    return {
        "fonts": list(FAMILIES),
        "language": document.language,
        "title": title,
        "author": author,
        "who": author,
        "day": day,
        "period": f"{texts('digest.period')} {period} / {made}",
        "contents": texts("digest.contents"),
        "footer": f"{author} {title} {day}",
        "summary": document.summary,
        "parts": [*parts, last],
    }


def _part(part: Part) -> dict[str, Any]:
    return {"title": part.title, "blocks": [_block(block) for block in part.blocks]}


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"kind": block.kind, "text": block.text}
    if isinstance(block, Chart):
        return {"kind": "chart", "svg": block.svg, "caption": block.caption}
    if not block.rows:
        return {"kind": "small", "text": block.empty}
    return _table(block.head, block.rows, block.figures)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[int] = ()) -> dict[str, Any]:
    longest = [max(_width(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    # a text of many lines, such as a query, gets twice as much as other wide ones
    shares = [
        2 * _WIDEST if width > 10 * _WIDEST else min(_WIDEST, max(_NARROWEST, width)) for width in longest
    ]
    whole = (
        max(longest) > _WHOLE
    )  # beside long columns a short one is as wide as its text, so that it is not broken
    columns = [
        0 if whole and width <= _WHOLE else share for width, share in zip(longest, shares, strict=True)
    ]
    return {
        "kind": "table",
        "head": list(head),
        "rows": [[cell or "—" for cell in row] for row in rows],
        "figures": list(figures),
        "columns": columns,
    }


def _width(text: str) -> int:
    """In half-width characters."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)


def _origins(document: Document, texts: Texts) -> list[dict[str, Any]]:
    """What each figure was asked as; a question of many lines stands below the table, as wide as the page."""
    head = (texts("digest.figure"), texts("digest.asked"), texts("digest.range"))
    short, long = [], []
    for one in document.origins:
        if _width(one.asked) <= 10 * _WIDEST:
            short.append((one.figure, one.asked, _range(one, document, texts)))
        else:
            long.append({"kind": "small", "text": f"{one.figure} = {one.asked}"})
    return [_table(head, short), *long]


def _range(origin: Origin, document: Document, texts: Texts) -> str:
    if origin.start is None or origin.end is None:
        return texts("digest.as_of", time=times.full(document.created))
    return f"{times.full(origin.start)} – {times.full(origin.end)}"


def _drawable(value: Any, clean: Callable[[str], str]) -> Any:
    """The same data with every text made drawable; drawings were made inert when they were drawn."""
    if isinstance(value, dict):
        return {key: part if key == "svg" else _drawable(part, clean) for key, part in value.items()}
    if isinstance(value, list):
        return [_drawable(part, clean) for part in value]
    return clean(value) if isinstance(value, str) else value
