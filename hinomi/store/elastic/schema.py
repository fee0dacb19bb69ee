"""Index names, settings and mappings, made from the ECS table.

Names stay flat (`subobjects: false`), so that `a` and `a.b` can both have a value. What ECS types is mapped by
dynamic templates when it first comes: an index holds only fields that its dataset has. All else is text with a
number twin, up to a limit beyond which a field is kept in the document but not indexed: hostile JSON cannot blow a
mapping up. Sources: Elasticsearch reference, "Dynamic templates", "subobjects", "Mapping limit settings".
"""

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hinomi import ecs
from hinomi.organization import FIELD
from hinomi.store.asked import is_counted, kind

LONGEST = 8191
"""Characters of a value that is indexed: Lucene's limit of 32,766 bytes in the worst of UTF-8."""
FIELDS = 3_000
_DEEP = 2
_BACK, _AHEAD = timedelta(days=35), timedelta(days=2)
_TIME = {"type": "date_nanos", "ignore_malformed": True}
_TEXT = {"type": "keyword", "ignore_above": LONGEST}
_MADE = {"made_by": "hinomi store init"}
FORM = 2
"""Of the templates: 1 had a text's numbers under `x.number` (`twins`)."""
_NUMBER = {"type": "double", "ignore_malformed": True, "doc_values": False}
NUMBER = "~number"
"""What a text is called once more as a number, behind its own name: so that a vendor's `x.number` beside `x` is another field."""
_LOOSE = {**_TEXT, "fields": {NUMBER: _NUMBER}}
_ADDRESS = {"type": "ip", "ignore_malformed": True, "fields": {"keyword": _TEXT}}
_BY_KIND: dict[str, tuple[str, dict[str, Any]]] = {
    "ip": ("string", _ADDRESS),
    "date": ("string", _TIME),
    "long": ("long", {"type": "long", "ignore_malformed": True}),
    "float": ("*", {"type": "double", "ignore_malformed": True}),
    "boolean": ("boolean", {"type": "boolean"}),
}


def number_of(name: str) -> str:
    """The field that holds the values of one that can be compared with a number (`asked.is_counted`)."""
    return name if kind(name) in {"long", "float"} else f"{name}.{NUMBER}"


def index(dataset: str, namespace: str, day: str) -> str:
    """The index of a dataset's day (`2026.11.20`)."""
    return f"logs-{_plain(dataset)}-{namespace}-{day}"


def pattern(dataset: str, namespace: str) -> str:
    """All indices of a dataset."""
    return f"logs-{_plain(dataset)}-{namespace}-*"


def day_of(name: str) -> datetime:
    """The day that an index name ends in."""
    return datetime.strptime(name.rpartition("-")[2], "%Y.%m.%d").replace(tzinfo=UTC)


def event_day(time: datetime, ingested: datetime) -> str:
    """The day whose index takes an event: its own, or, where its clock is plainly wrong, the day it came in.

    Both are the same on a replay, so the same event always goes to the same index.
    """
    sane = ingested - _BACK <= time <= ingested + _AHEAD
    return (time if sane else ingested).strftime("%Y.%m.%d")


def _plain(dataset: str) -> str:
    """A dataset as part of an index name: no hyphen, which parts names, and nothing that Elasticsearch refuses."""
    text = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "._") else "_" for sign in dataset.lower()
    )
    return text.lstrip("._") or "_"


def components(namespace: str, *, replicas: int, line: str = "keyword") -> dict[str, dict[str, Any]]:
    """The component templates of events by name: how an index is kept, and what ECS says of its fields. line: type of the raw
    line, `wildcard` where the cluster has it."""
    raw = dict(_TEXT) if line == "keyword" else {"type": line}
    settings = {
        "number_of_shards": 1,
        "number_of_replicas": replicas,
        "codec": "best_compression",
        "sort.field": "@timestamp",
        "sort.order": "desc",
        "mapping.total_fields.limit": FIELDS,
        "max_regex_length": 32_768,  # a Sigma value in which case does not count is four signs a letter
        "mapping.total_fields.ignore_dynamic_beyond_limit": True,
    }
    mappings = {
        "subobjects": False,
        "date_detection": False,
        "numeric_detection": False,
        "dynamic_templates": list(_dynamic()),
        "properties": {
            "@timestamp": {"type": "date_nanos"},
            "event.id": {"type": "keyword"},
            "event.dataset": {"type": "keyword"},
            FIELD: {"type": "keyword"},  # whose it is is found whatever names a sender invents
            "event.original": raw,
            "message": raw,
        },
    }
    parts = {"settings": {"settings": settings}, "ecs": {"mappings": mappings}}
    return {
        f"hinomi-events-{namespace}-{name}": {"template": part, "_meta": _MADE}
        for name, part in parts.items()
    }


def own_component(namespace: str) -> str:
    """The component template that is the administrator's own, where there is one: it comes last, and `store init` leaves it."""
    return f"hinomi-events-{namespace}@custom"


def template(namespace: str, composed_of: Sequence[str]) -> dict[str, Any]:
    """The index template of events: these components (`components`), then the administrator's own."""
    own = own_component(namespace)
    return {
        "index_patterns": [f"logs-*-{namespace}-*"],
        "priority": _priority(namespace),
        "composed_of": [*composed_of, own],
        "ignore_missing_component_templates": [own],
        "_meta": _MADE,
    }


def _priority(namespace: str) -> int:
    """Elasticsearch refuses two templates of one priority whose patterns could meet, as those of two towers could."""
    return 300 + zlib.crc32(namespace.encode()) % 1_000_000


def _dynamic() -> Sequence[dict[str, Any]]:
    fields = ecs.fields()
    typed = []
    for one, (shape, mapping) in _BY_KIND.items():
        names = sorted(name for name, field in fields.items() if field.kind == one)
        typed.append({one: {"match_mapping_type": shape, "path_match": names, "mapping": mapping}})
    return [
        *typed,
        {"ecs": {"match_mapping_type": "string", "path_match": _texts(), "mapping": _TEXT}},
        {"others": {"match_mapping_type": "string", "mapping": _LOOSE}},
    ]


def _texts() -> list[str]:
    """ECS's texts that nobody may compare with a number, by their very names: under `user.` a vendor has names of its own.
    Not the deepest, which every index's mapping would hold and few events have: a twin that nobody asks for does no harm."""
    texts = (name for name, field in ecs.fields().items() if field.kind == "keyword")
    return sorted(name for name in texts if name.count(".") <= _DEEP and not is_counted(name))


def record_template(namespace: str, *, replicas: int) -> dict[str, Any]:
    """The template of records: found by `pairs`, ordered by `order`, kept as text that nothing indexes."""
    return {
        "index_patterns": [f"hinomi-{namespace}-*"],
        "priority": _priority(namespace),
        "template": {
            "settings": {"number_of_shards": 1, "number_of_replicas": replicas},
            "mappings": {
                "dynamic": False,
                "properties": {
                    "id": {"type": "keyword"},
                    "version": {"type": "long"},
                    "updated": {"type": "date_nanos"},
                    "pairs": {"type": "keyword"},
                    "order": {"type": "flattened"},
                    "body": {"type": "keyword", "index": False, "doc_values": False},
                },
            },
        },
        "_meta": _MADE,
    }
