"""A large incident takes in many alerts at once: figures that one more alert only adds to are kept running; title, story and
risk, which take all alerts, are worked out once behind the last of them (`BEHIND`). Of a huge one they are worked out once it has
grown by a tenth (`due`), or within a minute, and its timeline has no line of each alert any more: there is the list of alerts."""

from collections.abc import Iterable, Sequence
from typing import Any

from hinomi.alert import Alert, Level
from hinomi.incident import Happening, Incident

WORKED_OUT = "worked_out"
"""In `fields`: how many alerts it had when title, story and risk were worked out."""
BEHIND = "behind"
"""In `fields`: title, story and risk are those of before the newest alerts."""
PRESSING = "pressing"
"""Value of `BEHIND` where one of these is grave and names a playbook: it may be for a new victim."""
LARGE = 20
"""Alerts from which on an incident is not worked out for each one that comes."""
HUGE = 300
"""Alerts from which on the timeline tells of no single one."""
KEEP = 40
"""Entity values shown of each field."""


def told(timeline: Sequence[Happening], line: Happening) -> list[Happening]:
    """The timeline with the line of one more alert; of so many, with one line that more have come."""
    if len(timeline) < HUGE:
        return [*timeline, line]
    alerts = sum(one.kind == "alert" for one in timeline)
    if alerts < HUGE:
        return [*timeline, line]
    if alerts > HUGE:
        return [*timeline]
    more = {
        "ja": f"警報が {HUGE} 件を超えました。これより後の警報は経過に並べません。警報の一覧にあります。",
        "en": f"More than {HUGE} alerts: those behind are not told one by one here; the list of alerts has them.",
        "ref": "",
    }
    return [*timeline, line.model_copy(update=more)]


def due(incident: Incident) -> bool:
    """Whether what takes all alerts is to be worked out now: a huge incident reads thousands for it."""
    now, before = len(incident.alert_ids), int(incident.fields.get(WORKED_OUT, 0))
    return now < HUGE or now >= before + before // 10 or incident.fields.get(BEHIND) == PRESSING


def added(incident: Incident, alert: Alert, joins: Iterable[str]) -> dict[str, Any]:
    """What the alert adds. joins: the entities by which it belongs to the incident."""
    entities = {name: [*values] for name, values in incident.entities.items()}
    for name, values in alert.entities.items():
        kept = entities.setdefault(name, [])
        kept += [one for one in dict.fromkeys(values) if one not in kept][: KEEP - len(kept)]
    new = alert.id not in incident.alert_ids
    pressing = incident.fields.get(BEHIND) == PRESSING or (
        alert.playbook and alert.level.rank >= Level.HIGH.rank
    )
    return {
        "level": max(incident.level, alert.level, key=lambda level: level.rank),
        "zones": sorted({*incident.zones, *alert.zones}),
        "first": min(incident.first, alert.first),
        "last": max(incident.last, alert.last),
        "entities": entities,
        "tags": sorted({*incident.tags, *alert.tags}),
        "guideline": sorted({*incident.guideline, *alert.guideline}),
        "playbooks": sorted({*incident.playbooks, *filter(None, [alert.playbook])}),
        "alert_ids": [*incident.alert_ids, *([alert.id] if new else [])],
        "fields": {
            **incident.fields,
            "joins_on": sorted({*incident.fields.get("joins_on", []), *joins}),
            BEHIND: PRESSING if pressing else True,
        },
    }
