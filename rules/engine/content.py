"""What a keyword searches: the event as its source wrote it, never what Hinomi says about it.

That is the raw line and the values read out of it (in which nothing is escaped). Sorting, enrichment and constants
are left out, so that a rule means the same in the service, in a hunt over the bare line and in a query of another
system. Why: docs/decisions/0011-keywords.md.
"""

from functools import lru_cache

OURS = frozenset(
    {
        *("event.id", "event.dataset", "event.module", "event.kind", "event.category", "event.type"),
        *("event.outcome", "observer.vendor", "observer.product", "observer.type", "cloud.provider"),
        *(
            "cloud.service.name",
            "service.type",
            "orchestrator.type",
            "network.direction",
            "network.transport",
        ),
        "winlog.logon.type",
    }
)
"""Columns whose texts we choose: how an event is sorted, whose product wrote it, words for a vendor's numbers."""
_OUR_FAMILIES = (
    "related.",
    "user.staff.",
    "host.asset.",
    "hinomi.indicator.",
    "threat.indicator.",
    "threat.feed.",
)
"""How the columns begin that repeat others or come from registers and feeds."""
_OUR_FACTS = (".zone", ".geo.country_iso_code", ".geo.location")
"""How the columns end that say where an address is."""


@lru_cache(8192)
def is_ours(column: str) -> bool:
    """Whether a column holds what we say of an event rather than what the event says."""
    return column in OURS or column.startswith(_OUR_FAMILIES) or column.endswith(_OUR_FACTS)
