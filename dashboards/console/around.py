"""One event and what its source logged before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from dashboards.console.evidence import Shown, show_event
from dashboards.console.residents import SEARCH
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from hinomi.query import quoted
from hinomi.store import Span

_EACH, _FAR = 20, timedelta(hours=6)
_SAME = ("host.name", "user.name", "source.ip")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An event and whether it is the one that was asked for."""

    event: Shown
    asked: bool


def show(visit: Visit) -> Response:
    """Twenty events before and after, of the same dataset; `same` keeps to those with the same value of a field."""
    events, at = visit.console.events, _moment(visit.asked("at"))
    identity, dataset, same = visit.asked("id"), visit.asked("dataset"), visit.asked("same")
    found = events.get(
        [identity], datasets=[dataset], span=Span(at - timedelta(seconds=1), at + timedelta(seconds=1))
    )
    if not found:
        raise InputError("このログは、もう保存されていません。", "this event is no longer held")
    centre = found[0]
    query = f"{same}: {quoted(str(centre[same]))}" if same in _SAME and centre.get(same) else ""
    before = events.search(query, datasets=[dataset], span=Span(at - _FAR, at), limit=_EACH).rows
    after = events.search(
        query, datasets=[dataset], span=Span(at, at + _FAR), limit=_EACH + 1, oldest_first=True
    ).rows
    rows = [*reversed(before), centre, *(row for row in after if row.get("event.id") != identity)]
    visit.console.audit.append(
        actor=visit.actor,
        action="console.around",
        target=identity,
        details={"dataset": dataset, "same": same},
    )
    return visit.page(
        "around.html",
        rows=_shown(visit, rows, identity),
        dataset=dataset,
        same=same,
        choices=[name for name in _SAME if centre.get(name)],
        id=identity,
        at=visit.asked("at"),
        revealed=visit.console.residents.until(visit.actor, SEARCH),
        scope=SEARCH,
    )


def _shown(visit: Visit, rows: Sequence[dict[str, Any]], identity: str) -> list[Neighbour]:
    seal = visit.console.residents.seal(visit.actor, SEARCH)
    return [
        Neighbour(show_event(row, hidden=seal.hides(row)), row.get("event.id") == identity) for row in rows
    ]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1971 <= moment.year <= 2200:
        raise InputError("時刻を読めません。", "the time cannot be read")
    return moment
