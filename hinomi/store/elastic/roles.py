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
    of records; cluster: rights over the cluster."""

    events: Sequence[str] = ()
    signals: Sequence[str] = ()
    reads: Sequence[str] = ()
    adds: Sequence[str] = ()
    writes: Sequence[str] = ()
    deletes: Sequence[str] = ()
    cluster: Sequence[str] = ()


_JOURNAL, _AUDIT = "journal_*", ("audit",)
RIGHTS: Mapping[Part, Rights] = {
    "setup": Rights(cluster=("manage_index_templates", "monitor"), writes=("prepared",)),
    "collect": Rights(
        events=("create_doc", "auto_configure"),
        reads=("prepared",),
        adds=(_JOURNAL,),
        writes=("checkpoint", "field", "count", "source"),
        deletes=("source",),  # a format that was pinned and no longer is
    ),
    "detect": Rights(
        events=("read",),
        signals=("create_doc", "auto_configure"),
        reads=("prepared", "journal_*", "suppression"),
        adds=(_JOURNAL,),
        writes=("state", "detected", "lease", "count", "field", "checkpoint"),
    ),
    "respond": Rights(
        events=("read", "monitor"),
        reads=("prepared", "field", "source", "suppression", "user", "checkpoint", "state"),
        adds=(*_AUDIT, "incident_number"),
        writes=(
            "alert", "approval", "audit_head", "count", "detected", "incident", "lease", "notification",
            "playbook_run", "report",
        ),
    ),
    "console": Rights(
        events=("read", "monitor"),
        reads=("*",),
        adds=_AUDIT,
        writes=("approval", "audit_head", "incident", "playbook_run", "session", "suppression", "user"),
        deletes=("session",),
    ),
    "keep": Rights(
        events=("read", "monitor", "delete_index"),
        reads=("prepared", "alert", "incident", "field"),
        adds=_AUDIT,
        writes=("audit_head", "count", "lease", "state"),
        cluster=("monitor", "create_snapshot"),
    ),
}  # fmt: skip


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


def as_file(namespace: str) -> str:
    """All roles as text for `roles.yml` of every node."""
    roles = {name_of(part, namespace): role(part, namespace) for part in RIGHTS}
    return yaml.safe_dump(roles, sort_keys=False)


def as_calls(namespace: str) -> list[tuple[str, dict[str, Any]]]:
    """All roles as API calls: each path of a PUT with its body."""
    return [(f"/_security/role/{name_of(part, namespace)}", role(part, namespace)) for part in RIGHTS]
