"""A report for machines: the same document as JSON, every table with its head, every figure with its origin."""

from dataclasses import asdict
from typing import Any

import orjson

from dashboards.reporting.document import Block, Chart, Document, Paragraph

FORMAT = "hinomi-report/1"


def machine(document: Document) -> bytes:
    """The JSON file; keys in order, so that the same report is the same file."""
    data = {
        "format": FORMAT,
        "name": document.name,
        "title": asdict(document.title),
        "organization": document.organization,
        "whose": document.whose,
        "language": document.language,
        "start": document.start,
        "end": document.end,
        "created": document.created,
        "summary": document.summary,
        "parts": [
            {"title": part.title, "blocks": [_block(block) for block in part.blocks]}
            for part in document.parts
        ],
        "origins": [asdict(origin) for origin in document.origins],
        "facts": document.facts,
    }
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"kind": block.kind, "text": block.text}
    if isinstance(block, Chart):
        return {"kind": "chart", "caption": block.caption}
    return {
        "kind": "table",
        "head": block.head,
        "rows": block.rows,
        "figures": block.figures,
        "empty": block.empty,
    }
