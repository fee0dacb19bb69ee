"""The incident's timeline as it is zoomed: which stretch of time is drawn, and the addresses that change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from dashboards import lanes, times
from dashboards.console.visit import Visit
from hinomi.alert import Alert
from hinomi.incident import Incident

_EDGE = 0.03
_SHORTEST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The drawing of a stretch of time; moves: (name of a text, address) of the zoom's buttons."""

    svg: Markup
    start: datetime
    end: datetime
    moves: list[tuple[str, str]]
    left: float = lanes.LEFT_SHARE


def of(visit: Visit, incident: Incident, alerts: Sequence[Alert]) -> Stretch:
    """The stretch that the address line asks for, else that of the findings."""
    people = _people(incident)
    findings, everything = _around(_spans(alerts) or people), _around([*_spans(alerts), *people])
    start, end = _asked(visit) or findings
    made = lanes.draw(lanes.lanes(alerts, incident.timeline, visit.texts), start, end, visit.texts)
    length = end - start
    here = f"/incidents/{incident.number}"
    moves = [
        ("lanes.findings", here + "#timeline"),
        ("lanes.all", _address(here, *everything)),
        ("lanes.closer", _address(here, start + length / 4, end - length / 4)),
        ("lanes.wider", _address(here, start - length / 2, end + length / 2)),
        ("lanes.earlier", _address(here, start - length / 2, end - length / 2)),
        ("lanes.later", _address(here, start + length / 2, end + length / 2)),
    ]
    # S704: the SVG is our own text; every value in it went through escape() in dashboards.drawing
    return Stretch(Markup(made), start, end, moves)  # noqa: S704


def _spans(alerts: Sequence[Alert]) -> list[datetime]:
    return [moment for alert in alerts for moment in (alert.first, alert.last)]


def _people(incident: Incident) -> list[datetime]:
    return [line.time for line in incident.timeline] or [incident.first, incident.last]


def _around(moments: Sequence[datetime]) -> tuple[datetime, datetime]:
    """From first to last with a little room; at least a minute."""
    first, last = min(moments), max(moments)
    room = max((last - first) * _EDGE, timedelta(seconds=30))
    return first - room, last + room


def _asked(visit: Visit) -> tuple[datetime, datetime] | None:
    start, end = (_time(visit.asked(name)) for name in ("from", "to"))
    return (start, end) if start and end and end - start >= _SHORTEST else None


def _time(text: str) -> datetime | None:
    moment = times.given(text)
    return moment if moment and 1971 <= moment.year <= 2200 else None


def _address(here: str, start: datetime, end: datetime) -> str:
    return f"{here}?from={times.local_input(start)}&to={times.local_input(end)}#timeline"
