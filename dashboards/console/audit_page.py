"""The audit log as a page: who looked at and decided what, newest first, and whether the chain is whole."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from dashboards.console import pager
from dashboards.console.visit import Visit
from hinomi.store import Record, Records

_KIND, PAGE = "audit", 100


def show(visit: Visit) -> Response:
    """A page of entries, narrowed by person and action; `?verify=yes` checks the whole chain."""
    console = visit.console
    where = {name: value for name in ("actor", "action") if (value := visit.asked(name).strip()[:200])}
    total = console.records.count(_KIND, where)
    number = visit.asked("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    entries = newest(console.records, where, total, page)
    problems = console.audit.verify() if visit.asked("verify") == "yes" else None
    console.audit.append(actor=visit.actor, action="console.audit_look", target=str(where or ""), details={})
    return visit.page(
        "audit.html",
        entries=[{**record.body, "details": _details(record.body["details"])} for record in entries],
        total=total,
        page_number=page,
        pages=pager.pages(total, PAGE),
        asked={"actor": "", "action": "", **where},
        problems=problems,
        head=console.audit.head(),
    )


def _details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each detail by its name: a text as it is, anything else as the JSON in which the log keeps it."""
    return [(k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in details.items()]


def newest(records: Records, where: dict[str, str], total: int, page: int) -> Sequence[Record]:
    """Entries come in order of their number; the newest page is the last one."""
    end = total - (page - 1) * PAGE
    start = max(0, end - PAGE)
    if end <= 0:
        return []
    return list(reversed(records.find(_KIND, where, limit=end - start, offset=start)))
