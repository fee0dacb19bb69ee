"""Completion of a query at the cursor: names of fields, or the values that a field really has in this range."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from dashboards.console.search import asked, looked_in
from dashboards.console.visit import Visit
from hinomi.errors import HinomiError
from hinomi.query import quoted
from hinomi.text import inert

MOST = 12
_FIELD = re.compile(r"(?:^|[\s(])([@\w][\w.@\-]*)$")
_VALUE = re.compile(r"([@\w][\w.@\-]*)\s*:\s*(\"?)([^\s\"()]*)$")
_PLAIN = re.compile(r"[\w.@\-]+$")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is put in, what is shown, and a remark (the kind of a field, how often a value comes)."""

    text: str
    shown: str
    note: str


def suggest(visit: Visit) -> Response:
    """`{from, items}`: items replace the query from `from` to the cursor."""
    query, at = visit.asked("q"), visit.asked("at")
    cursor = min(int(at), len(query)) if at.isascii() and at.isdigit() and len(at) < 6 else len(query)
    head = query[:cursor]
    try:
        start, items = _values(visit, head) or _fields(visit, head)
    except HinomiError:
        start, items = cursor, []  # a query half written is no mistake
    body = [{"text": one.text, "shown": inert(one.shown), "note": one.note} for one in items]
    return JSONResponse({"from": start, "items": body})


def _values(visit: Visit, head: str) -> tuple[int, list[Suggestion]] | None:
    match = _VALUE.search(head)
    if match is None:
        return None
    field, quote, typed = match.groups()
    wanted = asked(visit)
    seal = visit.console.residents.unreasoned()
    open_ = seal.open(looked_in(visit, wanted))
    if not open_ or field == "event.original":
        return cursor_of(match, quote), []
    prefix = f"{field}: {typed}*" if typed and _PLAIN.fullmatch(typed) else f"{field}: *"
    found = visit.console.events.top(
        field, seal.only(prefix), datasets=open_, span=wanted.range.span, limit=MOST
    )
    items = [Suggestion(_written(value), value[:120], f"{n:,}") for value, n in found]
    return cursor_of(match, quote), items


def cursor_of(match: re.Match[str], quote: str) -> int:
    """Where the value began, its quote included."""
    return match.start(3) - len(quote)


def _written(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quoted(value)


def _fields(visit: Visit, head: str) -> tuple[int, list[Suggestion]]:
    match = _FIELD.search(head)
    typed = match.group(1).lower() if match else ""
    start = match.start(1) if match else len(head)
    wanted = asked(visit).datasets
    known = visit.console.events.fields(wanted[0] if len(wanted) == 1 else None)
    return start, [Suggestion(f"{name}: ", name, known[name]) for name in _best(known, typed)]


def _best(known: Sequence[str] | dict[str, str], typed: str) -> list[str]:
    """Names that begin so, then names with a part that does, then names that hold it."""

    def rank(name: str) -> tuple[int, int, str]:
        low = name.lower()
        if low.startswith(typed):
            return (0, len(name), name)
        return (1 if f".{typed}" in low else 2, len(name), name)

    return sorted((name for name in known if typed in name.lower()), key=rank)[:MOST]
