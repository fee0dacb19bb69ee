"""What each part may do in the cluster: a role a part, with no right that its work does not need.

Whoever holds a collector's password can add events but neither read nor change any; the console can decide but not
write events; the audit log can only be added to, by anybody; only `keep` (retention) can delete indices.
Source of the names of rights: Elasticsearch reference, "Security privileges".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Part = Literal["setup", "collect", "detect", "respond", "console", "keep"]
_ADD = ("read", "create_doc", "auto_configure", "maintenance")
_WRITE = ("read", "index", "auto_configure", "maintenance")


@dataclass(frozen=True, slots=True)
class Rights:
    """events: what may be done with events; signals: the same with signals alone; reads, adds, writes, deletes: kinds
    of records (`*` at the end is a wildcard); writes_but: all kinds but these; cluster: rights over the cluster."""

    events: Sequence[str] = ()
    signals: Sequence[str] = ()
    reads: Sequence[str] = ()
    adds: Sequence[str] = ()
    writes: Sequence[str] = ()
    writes_but: Sequence[str] = ()
    deletes: Sequence[str] = ()
    cluster: Sequence[str] = ()


_COLLECTED = (
    "arrival",
    "arrival_through",
    "checkpoint",
    "field",
    "journal_*",
    "prepared",
    "refusal",
    "source",
)
RIGHTS: Mapping[Part, Rights] = {
    "setup": Rights(cluster=("manage_index_templates", "monitor"), writes=("prepared",)),
    "collect": Rights(
        events=("create_doc", "auto_configure"),
        reads=("prepared", "rule_quarantine", "shared_lists", "shared_rules"),
        adds=("journal_*",),
        writes=("arrival", "arrival_through", "checkpoint", "field", "count", "refusal", "rule_stat", "shared_undecided", "source"),
        deletes=("rule_stat", "source"),  # old hours; an origin that was waiting and has come
    ),
    "detect": Rights(
        events=("read",),
        signals=("create_doc", "auto_configure"),
        reads=("prepared", "journal_*", "shared_rules", "suppression"),
        adds=("journal_*",),
        writes=("state", "detected", "lease", "count", "field", "rule_stat", "shared_undecided"),
        deletes=("rule_stat",),  # old hours
    ),
    "respond": Rights(
        events=("read", "monitor"),
        signals=("create_doc", "auto_configure"),  # new indicators are looked for in what is stored
        reads=("*",),
        adds=("audit", "evidence_part", "journal_hinomi_signal"),
        writes=("field",),  # names of what a look back finds
        writes_but=(
            "attempt", "audit", "evidence_part", "hold", "session", "shared_rules", "snapshot", "state", "user",
            "view", *_COLLECTED,
        ),
        deletes=("arrival", "suppression", "incident_nudge", "run_nudge", "shared_lists"),
        cluster=("monitor",),
    ),
    "console": Rights(
        events=("read", "monitor"),
        reads=("*",),
        adds=("audit", "evidence_part"),
        writes_but=(
            "audit", "evidence_part", "alert", "count", "detected", "lease", "notification", "report", "report_delivery",
            "shared_lists", "snapshot", "state",
            *_COLLECTED,
        ),
        deletes=("attempt", "session", "shared_rules", "suppression", "token", "view"),
    ),
    "keep": Rights(
        events=("read", "monitor", "delete_index"),
        reads=("prepared", "alert", "incident", "field", "hold"),
        adds=("audit",),
        writes=("audit_head", "count", "snapshot"),
        deletes=("snapshot",),  # counts of snapshots that are gone
        cluster=("monitor", "create_snapshot"),
    ),
}  # fmt: skip
"""What people and responders write grows with each feature, so `respond` and `console` are told what they may not."""


def name_of(part: Part, namespace: str) -> str:
    """The role's name: two towers on one cluster have their own."""
    return f"hinomi_{namespace}_{part}"


def role(part: Part, namespace: str) -> dict[str, Any]:
    """The role as Elasticsearch takes it, in roles.yml and by its API alike."""
    rights = RIGHTS[part]
    events, records = f"logs-*-{namespace}-*", f"hinomi-{namespace}-"
    granted = [
        ([events], rights.events),
        ([f"logs-hinomi.signal-{namespace}-*"], rights.signals),
        ([records + kind for kind in rights.reads], ("read",)),
        ([records + kind for kind in rights.adds], _ADD),
        ([records + kind for kind in rights.writes], _WRITE),
        (_all_but(records, rights.writes_but), _WRITE),
        ([records + kind for kind in rights.deletes], ("delete",)),
    ]
    return {
        "cluster": list(rights.cluster),
        "indices": [
            {"names": names, "privileges": list(privileges)}
            for names, privileges in granted
            if names and privileges
        ],
    }


def _all_but(records: str, kinds: Sequence[str]) -> list[str]:
    """A pattern of Lucene's regular expressions: all indices of records but those of these kinds."""
    others = "|".join(kind.replace("*", ".*") for kind in kinds)
    return [f"/{records}.+&~({records}({others}))/"] if kinds else []


def as_file(namespace: str) -> str:
    """All roles as text for `roles.yml` of every node."""
    roles = {name_of(part, namespace): role(part, namespace) for part in RIGHTS}
    return yaml.safe_dump(roles, sort_keys=False)


def as_calls(namespace: str) -> list[tuple[str, dict[str, Any]]]:
    """All roles as API calls: each path of a PUT with its body."""
    return [(f"/_security/role/{name_of(part, namespace)}", role(part, namespace)) for part in RIGHTS]
