"""Who, what, where, since when and how far: an incident in plain lines, made from its alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards import times
from dashboards.texts import Texts
from hinomi.alert import Alert
from hinomi.countries import country
from hinomi.incident import Incident, Status

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: its heading and the words; `time` where the line is a moment."""

    name: str
    words: str
    time: datetime | None = None


def facts(incident: Incident, alerts: Sequence[Alert], now: datetime, texts: Texts) -> list[Fact]:
    """The lines that have something to say."""
    lines = [
        Fact(texts("sum.since"), _since(incident, now, texts), incident.first),
        Fact(texts("sum.who"), _names(incident, ("user.name", "user.target.name"), texts)),
        Fact(texts("sum.from"), _origins(incident, alerts, texts)),
        Fact(texts("sum.where"), _where(incident, texts)),
        Fact(texts("sum.what"), _what(alerts, texts)),
        Fact(texts("sum.data"), _data(incident, alerts, texts)),
        Fact(texts("sum.now"), _state(incident, now, texts)),
    ]
    return [line for line in lines if line.words]


def _since(incident: Incident, now: datetime, texts: Texts) -> str:
    lasted = times.duration(incident.last - incident.first, texts.language)
    quiet = times.duration(now - incident.last, texts.language)
    return texts("sum.lasted", lasted=lasted, quiet=quiet)


def _names(incident: Incident, fields: Sequence[str], texts: Texts) -> str:
    values = list(dict.fromkeys(value for name in fields for value in incident.entities.get(name, ())))
    return _listed(values, texts)


def _listed(values: Sequence[str], texts: Texts) -> str:
    shown = texts("mark.comma").join(values[:_SHOWN])
    more = len(values) - _SHOWN
    return f"{shown} {texts('queue.more', n=more)}" if more > 0 else shown


def _origins(incident: Incident, alerts: Sequence[Alert], texts: Texts) -> str:
    """Source addresses, each with the country that its alerts name."""
    countries = {
        country(code).of(texts.language)
        for alert in alerts
        for code in alert.entities.get("source.geo.country_iso_code", ())
        if code
    }
    words = _names(incident, ("source.ip", "client.ip"), texts)
    return f"{words}({texts('mark.comma').join(sorted(countries))})" if words and countries else words


def _where(incident: Incident, texts: Texts) -> str:
    hosts = _names(incident, ("host.name", "destination.ip"), texts)
    zones = texts("mark.comma").join(texts.get("zone", zone) for zone in incident.zones)
    return texts("mark.slash").join(part for part in (zones, hosts) if part)


def _what(alerts: Sequence[Alert], texts: Texts) -> str:
    """The gravest findings, one each."""
    ordered = sorted(alerts, key=lambda alert: (-alert.level.rank, alert.first))
    titles = list(dict.fromkeys(texts.of(alert.title_ja, alert.title_en) for alert in ordered))
    return _listed(titles, texts)


def _data(incident: Incident, alerts: Sequence[Alert], texts: Texts) -> str:
    """What data was touched: files, and how many events speak of it."""
    files = incident.entities.get("file.name", [])
    counted = [alert for alert in alerts if alert.entities.get("file.name")]
    if not files:
        return ""
    most = max((alert.event_count for alert in counted), default=len(files))
    return texts("sum.files", names=_listed(files, texts), n=most)


def _state(incident: Incident, now: datetime, texts: Texts) -> str:
    if incident.status is Status.CLOSED:
        verdict = texts(f"verdict.{incident.verdict.value}") if incident.verdict else "—"
        return texts("sum.closed", verdict=verdict)
    age = times.duration(now - incident.opened, texts.language)
    if not incident.acknowledged_by:
        return texts("sum.untaken", age=age)
    return texts("sum.taken", who=incident.assignee or incident.acknowledged_by, age=age)
