"""What pages show besides lists of records: the audit log, the one page for those in charge, figures of a search, a rule, files.

A file comes as base64 in the document, with its hash, so that every answer is JSON.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from collectors.pins import pins
from dashboards.api.calls import bodies_of, looked_in, wanted
from dashboards.api.endpoint import LIMIT, Call, Endpoint, Missing, Parameter, dumped
from dashboards.api.models import Listed
from dashboards.console import audit_page, bundle, health, onepage, reports_page, rules_page, sigma_draft
from dashboards.console.access import Access
from hinomi.batch import DEAD_LETTERS
from hinomi.errors import QueryError
from hinomi.store import Span

_DAY, _MOST_BARS = timedelta(days=1), 2_000
_INTERVALS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": _DAY}
_FIELD = {"type": "string", "pattern": r"^@?[A-Za-z_][A-Za-z0-9_.-]{0,127}$"}


def audit(call: Call) -> Listed:
    """A page of the audit log, newest first; that it was read is written there, too."""
    console, values = call.visit.console, call.values
    where = {name: values[name] for name in ("actor", "action") if values.get(name)}
    total, page = console.records.count("audit", where), int(values.get("page", 1))
    found = audit_page.newest(console.records, where, total, page)
    console.audit.append(
        actor=call.visit.actor, action="console.audit_look", target=str(where or ""), details={"api": True}
    )
    more = page * audit_page.PAGE < total
    return Listed(items=bodies_of(found), next=str(page + 1) if more else None)


def summary(call: Call) -> Listed:
    """The page for those in charge: is anything wrong, what does it mean, what is to be decided."""
    return Listed(items=[dumped(onepage.situation(call.visit))], next=None)


def histogram(call: Call) -> Listed:
    """Events over time; without times of the last day."""
    query, names, span = _figures(call)
    interval = _INTERVALS[call.values.get("interval", "hour")]
    if span.start is None or span.end is None or (span.end - span.start) / interval > _MOST_BARS:
        raise QueryError("期間が長すぎます。", f"at most {_MOST_BARS} bars; choose a longer interval")
    found = call.visit.console.events.histogram(query, datasets=names, span=span, interval=interval)
    return Listed(items=dumped(found) if names else [], next=None)


def top(call: Call) -> Listed:
    """The most frequent values of a field."""
    query, names, span = _figures(call)
    limit, field = call.values.get("limit", 50), str(call.values.get("field", "event.dataset"))
    found = (
        call.visit.console.events.top(field, query, datasets=names, span=span, limit=limit) if names else []
    )
    return Listed(items=[{"value": dumped(value), "events": n} for value, n in found], next=None)


def _figures(call: Call) -> tuple[str, list[str], Span]:
    """What is asked, where and when; the last day where no times are given. Raises QueryError."""
    query, names, span = looked_in(call)
    if span.start is None or span.end is None:
        end = span.end or call.visit.console.clock.now()
        span = Span(span.start or end - _DAY, end)
    call.visit.console.audit.append(
        actor=call.visit.actor,
        action="console.search",
        target=call.values.get("q", ""),
        details={"api": True},
    )
    return query, names, span


def fields(call: Call) -> Listed:
    """Fields that events have, with their kinds."""
    found = call.visit.console.events.fields(call.values.get("dataset"))
    return Listed(items=[{"field": name, "kind": kind} for name, kind in sorted(found.items())], next=None)


def draft_of_search(call: Call) -> Listed:
    """A search as the draft of a Sigma rule."""
    return Listed(items=[{"draft": sigma_draft.text_of(call.visit)}], next=None)


def arriving(call: Call) -> Listed:
    """What is held of each dataset, recognised formats, and what was left out and why."""
    console = call.visit.console
    held = [one for one in console.events.datasets() if one.name != DEAD_LETTERS]
    counts = [
        dict(zip(("what", "dataset", "reason", "n"), one, strict=True))
        for one in health.counts(console.records)
    ]
    return Listed(
        items=[{"datasets": dumped(held), "pins": dumped(pins(console.records)), "left_out": counts}],
        next=None,
    )


def rule(call: Call) -> Listed:
    """A rule in force by its id or name, with its figures of the last 30 days."""
    reference = str(call.visit.request.path_params["rule"])
    found = next((one for one in rules_page.kept(call.visit) if reference in (one.id, one.name)), None)
    if found is None:
        raise Missing("この検知ルールは、いま動いていません。", "this rule is not in force")
    return Listed(items=[dumped(found) | {"precision": found.precision}], next=None)


def attack_layer(call: Call) -> Listed:
    """ATT&CK coverage, of rules and of sources that could feed them, as a layer for the Navigator."""
    return Listed(items=[dumped(rules_page.navigator_layer(call.visit))], next=None)


def report_file(call: Call) -> Listed:
    """A file of a report."""
    name = str(call.visit.request.path_params["name"])
    path = reports_page.path_of(call.visit, name)
    if path is None or not path.is_file():
        raise Missing("この名前の報告書はありません。", "there is no report of this name")
    call.visit.console.audit.append(
        actor=call.visit.actor, action="console.report", target=name, details={"api": True}
    )
    return _file(name, path.read_bytes())


def evidence_archive(call: Call) -> Listed:
    """The incident's evidence as one archive; logs about residents need a reason."""
    incident = wanted(call)
    return _file(f"incident-{incident.number}.zip", bundle.taken(call.visit, incident))


def _file(name: str, content: bytes) -> Listed:
    made = {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": base64.b64encode(content).decode(),
    }
    return Listed(items=[made], next=None)


R, W = Access.READ, Access.WORK
_Q = Parameter("q", "A query in the search language.", {"type": "string", "maxLength": 8000})
_DATASET = Parameter("dataset", "Only this dataset.", {"type": "string", "maxLength": 200})
_TIMES = (
    Parameter("from", "From this time on (ISO 8601).", {"type": "string", "maxLength": 40}),
    Parameter("to", "Before this time.", {"type": "string", "maxLength": 40}),
)
_EACH = Parameter("interval", "How long a bar is.", {"type": "string", "enum": list(_INTERVALS)})
_WHICH = Parameter("field", "Which field.", _FIELD)
_WHO = tuple(
    Parameter(name, f"Only this {name}.", {"type": "string", "maxLength": 200})
    for name in ("actor", "action")
)
_PAGE = Parameter("page", "`next` of the page before.", {"type": "integer", "minimum": 1, "maximum": 999_999})


def _look(
    path: str, access: Access, about: str, handler: Callable[[Call], Listed], *given: Parameter, **more: Any
) -> Endpoint:
    return Endpoint("GET", path, access, about, handler, Listed, None, given, **more)


ENDPOINTS = (
    _look("/audit", Access.AUDIT, "The audit log", audit, *_WHO, _PAGE),
    _look("/summary", R, "The one page for those in charge", summary),
    _look("/events/histogram", R, "Events over time", histogram, _Q, *_TIMES, _DATASET, _EACH, apart=True),
    _look("/events/top", R, "Values of a field", top, _WHICH, _Q, *_TIMES, _DATASET, LIMIT, apart=True),
    _look("/events/fields", R, "Fields of events", fields, _DATASET, apart=True),
    _look("/events/sigma", W, "A search as a draft rule", draft_of_search, _Q, apart=True),
    _look("/sources/arriving", R, "What arrives and what was left out", arriving),
    _look("/rules/attack-layer", R, "ATT&CK coverage", attack_layer),
    _look("/rules/{rule}", R, "One rule", rule),
    _look("/reports/{name}", R, "A file of a report", report_file, apart=True),
    _look(
        "/incidents/{number:int}/evidence/archive", W, "Evidence as an archive", evidence_archive, apart=True
    ),
)
