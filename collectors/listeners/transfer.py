"""`kind: transfer`: batches of lines that come as files through a one-way gateway (docs/operations.md)."""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from collectors.settings import Encoding, EncodingName, Listening, Origin
from collectors.transfer.drop import Drop
from collectors.transfer.findings import ORIGIN
from collectors.transfer.inbox import Inbox
from collectors.transfer.keys import public_keys
from collectors.transports.door import Door
from collectors.transports.health import Note
from hinomi.config import Section

_POLL = 0.5
_DAY = 86_400.0


class Origins(Section):
    """One of the sender's sources, by the name that it has there: its format and the text encoding."""

    source: str = "auto"
    encoding: EncodingName = Encoding.AUTO


class Transfer(Listening):
    """`kind: transfer`. path: the drop folder; keys: public keys of senders that are believed (PEM); stream: the name
    that the sender gives, by default the listener's; wait: minutes that what is missing may take before it is told;
    beat: minutes within which a batch must come, 0 for no such bound; keep_days: how long taken files stay in `done`;
    senders: the sender's sources by name, each an origin of its own (what is not named here has the listener's).
    """

    kind: Literal["transfer"]
    path: Path
    keys: Annotated[list[Path], Field(min_length=1)]
    stream: str | None = None
    wait: float = Field(default=30.0, gt=0)
    beat: float = Field(default=0.0, ge=0)
    keep_days: float = Field(default=7.0, gt=0)
    senders: dict[str, Origins] = Field(default_factory=dict)

    def origins(self, name: str) -> dict[str, Origin]:
        """See `Listening.origins`; what it finds wrong goes under an origin of Hinomi's own."""
        own = {key: Origin(one.source, one.encoding) for key, one in self.senders.items()}
        return {**own, ORIGIN: Origin(ORIGIN, Encoding.UTF8), **super().origins(name)}

    async def run(self, door: "Door[Transfer]") -> None:
        """See `Listening.run`."""
        inbox = await asyncio.to_thread(self._inbox, door)
        await inbox.open()
        door.up()
        cleaned = 0.0
        try:
            while not door.stop.is_set():
                await inbox.round()
                door.health.notes = self._notes(inbox)
                if time.time() - cleaned > _DAY / 24:
                    cleaned = time.time()
                    await asyncio.to_thread(inbox.drop.forget_done, cleaned - self.keep_days * _DAY)
                await door.pause(_POLL)
        finally:
            door.health.up = False

    def _inbox(self, door: "Door[Transfer]") -> Inbox:
        drop = Drop(door.absolute(self.path), public_keys(self.keys))
        record = door.record(str(self.path), "transfer")
        return Inbox(door, drop, record, self.stream or door.name, self.wait * 60, self.beat * 60)

    def _notes(self, inbox: Inbox) -> list[Note]:
        chain = inbox.chains[-1] if inbox.chains else None
        waiting, aside = len(inbox.drop.lying), inbox.drop.quarantined
        last = chain.next - 1 if chain else 0
        recent = time.time() - self.keep_days * _DAY
        gaps = [gap for one in inbox.chains for gap in one.gaps]
        numbers = ", ".join(f"{gap.first}〜{gap.last}" for gap in gaps[:5])
        notes = [
            Note(
                f"最後の束は {last} 番、待っているファイル {waiting}。",
                f"last batch {last}, {waiting} files wait",
            )
        ]
        if gaps:
            bad = any(gap.since > recent for gap in gaps)
            notes.append(Note(f"届いていない束: {numbers}", f"batches that did not come: {numbers}", bad=bad))
        if aside:
            said = Note(
                f"検査に通らないファイル {aside} 個({inbox.drop.folder}/quarantine)。確かめて消してください。",
                f"{aside} files failed the checks ({inbox.drop.folder}/quarantine); look at them, then remove them",
                bad=True,
            )
            notes.append(said)
        return notes
