"""A machine that had rules of its own before anything was shared: whoever is called is told until a person decides."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hinomi.alert import Alert, Level
from hinomi.errors import StoreError
from hinomi.identity import digest
from hinomi.store import Records
from hinomi.text import inert
from hinomi.words import Words

KIND = "shared_undecided"
"""Records that every part may write, one a machine and content: {machine, what, files, n, state: open or decided, at}."""
_RULE = "1d8c5e52-6f0b-4d57-9a0e-3b7c2a94f1d6"
_AGAIN, _OVER = timedelta(hours=1), timedelta(days=1)
"""How often a machine says it again; a machine that has said nothing for so long is gone, or nobody's."""
_NAMED = 5
STEP = Words(
    "この機械のものも使うなら、そのファイルを console のデータフォルダの同じ場所に置いて、そこで hinomi rules share。"
    "使わないなら、この機械で hinomi rules share --take(手元のものは shared/aside/ に残します)。",
    "to keep them, put the files into the same place of the console's data folder and run hinomi rules share there; to do without"
    " them, run hinomi rules share --take on this machine (they are kept in shared/aside/)",
)


class Undecided(StoreError):
    """What this machine alone holds would go by taking over what is shared. files: their names."""

    def __init__(self, what: Words, files: Sequence[str]) -> None:
        named = ", ".join(inert(one, 80) for one in files[:_NAMED]) + ("…" if len(files) > _NAMED else "")
        super().__init__(
            f"共有された「{what.ja}」にないものが、この機械に {len(files):,} 個あります({named})。"
            f"消さないよう、決まるまで受け取らず、手元のものを使い続けます。{STEP.ja}",
            f"this machine has {len(files):,} files that the shared {what.en} have not ({named}): nothing is taken over, and these"
            f" stay in use, until it is decided: {STEP.en}",
        )
        self.files = files


def note(records: Records, machine: str, what: str, files: Sequence[str], now: datetime) -> None:
    """Say that a machine waits for a decision (files: of what), or no more (none). Raises StoreError."""
    identity = f"{machine}/{what}"
    state = "open" if files else "decided"
    held = records.get(KIND, identity)
    same = held is not None and (held.body["state"], held.body["n"]) == (state, len(files))
    if same and held and (not files or now - datetime.fromisoformat(held.body["at"]) < _AGAIN):
        return
    if held is None and not files:
        return
    body = {"machine": machine, "what": what, "files": list(files[:_NAMED]), "n": len(files), "state": state}
    records.put(KIND, identity, {**body, "at": now.isoformat(timespec="seconds")})


def look(records: Records, now: datetime, tell: Callable[[Alert], object]) -> int:
    """Tell of each machine that waits; how many. One alert a machine and day."""
    n = 0
    for one in records.find(KIND, {"state": "open"}, limit=1_000):
        if now - datetime.fromisoformat(str(one.body["at"])) < _OVER:
            tell(_alert(one.body, now))
            n += 1
    return n


def _alert(body: "dict[str, object]", now: datetime) -> Alert:
    machine, files = inert(str(body["machine"]), 80), body["files"]
    named = ", ".join(inert(str(one), 80) for one in files) if isinstance(files, list) else ""
    return Alert(
        id=digest(_RULE, f"{now:%Y-%m-%d}", machine, str(body["what"])),
        rule_id=_RULE,
        rule_name="shared_rules_undecided",
        title_ja="ルールと例外が届いていない機械がある",
        title_en="A machine does not take over rules and exceptions",
        level=Level.HIGH,
        kind="correlation",
        first=now,
        last=now,
        detected=now,
        event_count=1,
        reason_ja=f"{machine} だけにあるもの {body['n']} 個: {named}",
        reason_en=f"{body['n']} files that {machine} alone has: {named}",
        what_to_do_ja=f"{machine} で hinomi doctor。{STEP.ja}",
        what_to_do_en=f"Run hinomi doctor on {machine}; {STEP.en}.",
        tags=["attack.t1562.001"],
        guideline=["MIC-7.1"],
    )
