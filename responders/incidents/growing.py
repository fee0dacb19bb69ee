"""A large incident that takes in many alerts at once: figures that one more alert only adds to are kept running; title, story and
risk, which take all alerts, are worked out once behind the last of them (`BEHIND`)."""

from collections.abc import Iterable
from typing import Any

from hinomi.alert import Alert
from hinomi.incident import Incident

BEHIND = "behind"
"""In `fields`: title, story and risk are those of before the newest alerts."""
LARGE = 20
"""Alerts from which on an incident is not worked out for each one that comes."""
KEEP = 40
"""Entity values shown of each field."""


def added(incident: Incident, alert: Alert, joins: Iterable[str]) -> dict[str, Any]:
    """What the alert adds. joins: the entities by which it belongs to the incident."""
    entities = {name: [*values] for name, values in incident.entities.items()}
    for name, values in alert.entities.items():
        kept = entities.setdefault(name, [])
        kept += [one for one in dict.fromkeys(values) if one not in kept][: KEEP - len(kept)]
    return {
        "level": max(incident.level, alert.level, key=lambda level: level.rank),
        "zones": sorted({*incident.zones, *alert.zones}),
        "first": min(incident.first, alert.first),
        "last": max(incident.last, alert.last),
        "entities": entities,
        "tags": sorted({*incident.tags, *alert.tags}),
        "guideline": sorted({*incident.guideline, *alert.guideline}),
        "playbooks": sorted({*incident.playbooks, *filter(None, [alert.playbook])}),
        "alert_ids": [*incident.alert_ids, alert.id],
        "fields": {
            **incident.fields,
            "joins_on": sorted({*incident.fields.get("joins_on", []), *joins}),
            BEHIND: True,
        },
    }
