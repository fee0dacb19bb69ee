"""A table on A4 as PDF, set by Typst with fonts that are embedded. Values travel as JSON data, never as Typst source."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import typst

from hinomi.fonts import FAMILIES, fonts
from hinomi.glyphs import drawable
from responders.duties.docx import Row

_TEMPLATE = Path(__file__).with_name("draft.typ")


def pdf(
    title: str,
    lead: Sequence[str],
    rows: Sequence[Row],
    *,
    made: datetime,
    footer: str,
    head: tuple[str, str] = ("項目", "内容"),
) -> bytes:
    """The PDF file. Raises DependencyDown when no Japanese font is there."""
    files = fonts()

    def clean(text: str) -> str:
        return "\n".join(drawable(line, files) for line in text.split("\n"))

    data = {
        "fonts": list(FAMILIES),
        "title": clean(title),
        "lead": [clean(line) for line in lead],
        "head": [clean(cell) for cell in head],
        "widths": [3, 7],
        "rows": [{"cells": [clean(row.title), clean(row.text)], "blank": row.blank} for row in rows],
        "footer": clean(footer),
    }
    made_pdf = typst.compile(
        str(_TEMPLATE),
        format="pdf",
        font_paths=typst.Fonts(
            include_system_fonts=False, font_paths=sorted({str(path.parent) for path in files})
        ),
        sys_inputs={"draft": json.dumps(data, ensure_ascii=False)},
        timestamp=made.replace(microsecond=0),
    )
    assert isinstance(made_pdf, bytes)
    return made_pdf
