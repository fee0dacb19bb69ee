"""What detects is approved: written into the lock file, whose own hash stands in the audit log, so that neither a changed
rule nor a changed, removed or replaced approval goes unseen.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from hinomi.errors import HinomiError
from hinomi.store import Records
from hinomi.words import Words
from ops.folders import cache_folder
from ops.settings import Settings
from responders.audit import Audit
from rules import lock
from rules.in_force import KEPT
from rules.lock import Difference, Locked

ACTION = "rules.lock"
_DECIDING: dict[str, Any] = {
    "rules": {"lateness_minutes", "flood_per_hour", "slow_share"},
    "indicators": {"retro_days"},
}
"""Settings that decide what is detected, beside those that say which rules there are and how they are read. Not where lists of
indicators come from: on a cluster the responder's file alone says so."""
_Written = tuple[int, str]
"""How many things a lock file approves, and its hash."""
_GONE = Words(
    "承認の記録(lock.json)がありません。監査記録には承認があります。",
    "the approval (lock.json) is gone, and the audit log has one",
)
_UNNOTED = Words(
    "承認の記録(lock.json)が監査記録にありません。hinomi rules lock で承認し直してください。",
    "the audit log has no such approval (lock.json): approve anew with hinomi rules lock",
)
_REPLACED = Words(
    "承認の記録(lock.json)が、監査記録にあるものと違います。",
    "the approval (lock.json) is not the one that the audit log has",
)


def running(settings: Settings, data: Path) -> list[Locked]:
    """All that decides what is detected, as `hinomi rules lock` approves it."""
    source = settings.rules_in_force(data)
    asked = settings.model_dump(mode="json", include=_DECIDING)
    values = {f"{section}.{name}": value for section, each in asked.items() for name, value in each.items()}
    return lock.running(source, source.load(cache_folder()), values)


def approve(
    settings: Settings,
    data: Path,
    audit: Audit,
    *,
    by: str,
    at: datetime,
    carried: Callable[[Callable[[], _Written]], _Written] = lambda act: act(),
) -> int:
    """Approve what runs now. Returns how many things that are. carried: changes the rules of every machine.

    The file comes first, as a whole: until the audit log has its hash it counts as replaced. The other way round a store that
    fails, or another machine that is quicker, left a hash of no file, and the approval before it counted as replaced.
    """

    def written() -> _Written:
        held = [one for one in running(settings, data) if not one.ended]
        said = lock.text(held, by=by, at=at.isoformat())
        lock.write(_path(data), said)
        return len(held), hashlib.sha256(said).hexdigest()

    n, sha256 = carried(written)
    details = {"approved": n, "sha256": sha256}
    audit.append(actor=by, action=ACTION, target=str(_path(data)), details=details)
    return n


def unlike(settings: Settings, data: Path, records: Records) -> list[Difference] | None:
    """What is not as it was approved; None where nothing ever was. Raises ContentError for rules that cannot be read."""
    path = _path(data)
    last = next(iter(records.find("audit", {"action": ACTION}, order="-number", limit=1)), None)
    if not path.exists():
        return None if last is None else [_of_itself(path, _GONE)]
    if last is None:
        return [_of_itself(path, _UNNOTED), *_beside(settings, data)]
    noted = last.body["details"].get("sha256", "")
    if noted and noted != _digest(path):
        return [_of_itself(path, _REPLACED), *_beside(settings, data)]
    return list(_unlike(settings, data))


def _unlike(settings: Settings, data: Path) -> Iterator[Difference]:
    path = _path(data)
    try:
        approved = lock.read(path)
    except HinomiError as error:
        yield _of_itself(path, Words(error.ja, error.en))
    else:
        yield from lock.differences(approved, running(settings, data))


def _beside(settings: Settings, data: Path) -> list[Difference]:
    """What else is not as the file says that was put in the approval's place; whatever that raises is said beside it."""
    try:
        return list(_unlike(settings, data))
    except HinomiError as error:
        said = Words(error.ja, error.en)
    except Exception as error:  # whoever wrote the file may have meant it to
        what = type(error).__name__
        said = Words(f"ほかの違いは調べられません({what})。", f"what else differs cannot be told ({what})")
    return [_of_itself(_path(data), said)]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:  # a folder in its place, no right to read it
        return ""


def _path(data: Path) -> Path:
    return data / KEPT / lock.NAME


def _of_itself(path: Path, said: Words) -> Difference:
    return Difference(Locked("approval", lock.NAME, lock.NAME, "", "", str(path)), said)
