"""Reports that were made: records of kind `report`, and their files."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from dashboards.console import pager
from dashboards.console.visit import Visit
from dashboards.records_apart import REPORT
from dashboards.reporting import signing
from hinomi.errors import InputError
from hinomi.words import Words

_PAGE = 100
_STEM = re.compile(r"[\w.-]{1,200}")
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".json": "application/json",
}


class NoReport(InputError):
    """No report has this file."""


def show(visit: Visit) -> Response:
    """A page of the list, newest first."""
    records = visit.console.records
    total = records.count(REPORT)
    page = pager.page_number(visit.asked("page", "1"), total, _PAGE)
    found = records.find(REPORT, order="-created", limit=_PAGE, offset=(page - 1) * _PAGE)
    reports = [{**record.body, "whose": _whose(visit, record.body)} for record in found]
    return visit.page("reports.html", reports=reports, page_number=page, pages=pager.pages(total, _PAGE))


def _whose(visit: Visit, report: Mapping[str, Any]) -> str:
    """The name of the organisation of which alone it tells, its id where the configuration no longer names it; empty for the
    whole tower's, and for who sees one organisation only."""
    console, whose = visit.console, str(report.get("organization", ""))
    if not whose or (console.scope is not None and len(console.scope) == 1):
        return ""
    return console.organizations.names.get(whose, Words(whose, whose)).of(visit.language)


def file(visit: Visit) -> Response:
    """One file of a report, as it was made; its own style is allowed by hash, scripts are not."""
    name = str(visit.request.path_params["name"])
    path = path_of(visit, name)
    if path is None or not path.is_file():
        raise NoReport("この名前の報告書はありません。", "there is no report of this name")
    content = path.read_bytes()
    visit.console.audit.append(actor=visit.actor, action="console.report", target=name, details={})
    response = Response(content, media_type=_MEDIA[path.suffix])
    shown = "inline" if path.suffix in {".html", ".pdf"} else "attachment"
    response.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(name)}"
    if path.suffix == ".html":
        response.headers["Content-Security-Policy"] = _policy(content)
    return response


def path_of(visit: Visit, name: str) -> Path | None:
    """Where the file is; only names that the report's own record lists are ever opened."""
    stem = name.removesuffix(signing.ENDING) if name.endswith(signing.ENDING) else Path(name).stem
    record = visit.console.records.get(REPORT, stem) if _STEM.fullmatch(stem) else None
    for listed in record.body["files"] if record else ():
        path = Path(listed["path"])
        if path.name == name and path.suffix in _MEDIA:
            return path
    return None


def _policy(content: bytes) -> str:
    style = _STYLE.search(content)
    digest = base64.b64encode(hashlib.sha256(style.group(1)).digest()).decode() if style else ""
    allowed = f"style-src 'sha256-{digest}'; " if digest else ""
    return f"default-src 'none'; {allowed}img-src data:; frame-ancestors 'none'; base-uri 'none'; sandbox"
