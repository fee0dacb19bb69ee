"""Whatever one record holds, people are called about everything else: each kind of record that a busy night leaves behind is
damaged in each of its fields (gone, of another type, empty as a whole), the tower starts anew, and a new grave alert must go out.

A damaged record may be told as an error in every round; what it must not do is silence another incident, or keep the tower from
starting.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from hinomi.errors import StoreError
from hinomi.faults import Faults
from hinomi.store.embedded import SqliteRecords
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder

_OF_OTHERS = {"user"}  # accounts: who signs in is not what calls people
FRESH = "mayor"


def night(folder: Path) -> None:
    """A night with something of everything: incidents, plans, messages sent and waiting, clocks, notes, stand-ins, maintenance."""
    made, clock = responder(folder)
    people = desk(made.records, clock, KEY)
    for n in range(2):
        found = made.receive(
            [
                alert(
                    f"a{n}",
                    entities={"user.name": [f"u{n}"], "source.ip": [f"203.0.113.{n + 1}"]},
                    playbook="block_address",
                    zones=["mynumber"],
                )
            ]
        )
        made.tick()
        clock.advance(timedelta(minutes=1))
        made.tick()
        people.clocks.start(found[0].id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="sato", roles=ANALYST)
        people.clocks.propose(found[0].id, "MIC", by="hinomi")
    roster = people.roster
    roster.note("夜間の作業あり", actor="sato", roles=ANALYST)
    start = clock.now()
    span = (start + timedelta(hours=1), start + timedelta(hours=3))
    roster.stand_in("suzuki", *span, "交代", settings=made.settings.oncall, actor="sato", roles=ANALYST)
    where = {"host.name": "sv01"}
    roster.plan_maintenance("更新", start, span[1], where, actor="sato", roles=ANALYST)
    people.automation.resume("試験", actor="suzuki", roles=MANAGER)
    people.acting_first.permit("sato", start, span[1], "夜間", actor="suzuki", roles=MANAGER)
    made.receive([alert("later", entities={"user.name": ["waits"]})])
    made.calling.changed([one.id for one in made.records.find("incident", {"status": ["new", "open"]})])
    clock.advance(timedelta(hours=2))
    made.tick()


def _damages(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "empty", {}
    for key in body:
        yield f"{key} gone", {name: value for name, value in body.items() if name != key}
        yield f"{key} a number", {**body, key: 7}
        yield f"{key} a word", {**body, key: "?"}
        yield f"{key} null", {**body, key: None}


def _rounds(made: Responder) -> None:
    """As `ops.roles.respond` does it: what raises ends no round but its own part."""
    faults = Faults()  # kept, not raised
    with faults.kept():
        made.start()
    for _ in range(2):
        with faults.kept():
            made.receive([alert("fresh", level="critical", entities={"user.name": [FRESH]})])
        with faults.kept():
            made.tick()


def silenced(night: Path, folder: Path, *, every: int, first: int = 0) -> tuple[list[str], int]:
    """What silences the fresh alert when it is damaged, and how many damages were tried; every: one damage in so many of each
    record, so that each field has its turn at one kind of damage."""
    source, silent, tried = SqliteRecords(night / "records.sqlite"), list[str](), 0
    kinds = {str(row[0]) for row in source._db.execute("select distinct kind from record")}
    for kind in sorted(kinds - _OF_OTHERS):
        [record, *_] = source.find(kind, limit=1)
        for what, body in list(_damages(record.body))[first::every]:
            tried += 1
            own = folder / f"{tried}"
            own.mkdir()
            shutil.copy(night / "records.sqlite", own)
            made, clock = responder(own)
            clock.advance(timedelta(hours=3))
            made.records.put(kind, record.id, body)
            try:
                _rounds(made)
            except StoreError as error:
                silent.append(f"{kind}: {what}: {error}")
            if not any(FRESH in text for text in messages(own)):
                silent.append(f"{kind}: {what}")
            shutil.rmtree(own)
    return silent, tried


def test_a_damaged_record_silences_nobody(tmp_path: Path) -> None:
    """Every kind of record, every field, one kind of damage each; `python -m benchmarks.damage` does all."""
    night(tmp_path / "night")
    silent, tried = silenced(tmp_path / "night", tmp_path, every=5)
    assert tried > 100 and not silent, f"{len(silent)} of {tried}:\n" + "\n".join(silent)
