"""`kind: flow`: NetFlow 5 and 9, IPFIX and sFlow 5 over UDP, told apart by their first bytes."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field

from collectors.flows.decoder import Decoder
from collectors.flows.exporters import Exporters
from collectors.settings import Listening
from collectors.transports.door import DRAIN_SECONDS, Door
from collectors.transports.health import Note
from collectors.transports.udp import UdpReceiver, bound_socket
from hinomi.durable import write_durably

_SAY_EVERY = 2.0


class Flow(Listening):
    """`kind: flow`. address, port: where exporters send to (2055 for NetFlow, 4739 for IPFIX and 6343 for sFlow are
    usual; one port takes them all)."""

    kind: Literal["flow"]
    address: str = "0.0.0.0"  # noqa: S104  # a collector listens to the city's network
    port: int = Field(default=2055, ge=0, le=65535)
    source: str = "network.flow"

    async def run(self, door: "Door[Flow]") -> None:
        """See `Listening.run`."""
        record = door.record("flow", "templates")
        decoder = Decoder(await asyncio.to_thread(_load, record))
        sock = bound_socket(self.address, self.port)
        receiver = FlowReceiver(door.inlet, self.max_message, sock, decoder=decoder)
        receiver.start()
        address, port = sock.getsockname()[:2]
        door.up(str(address), int(port))
        try:
            while not door.stop.is_set():
                await door.pause(_SAY_EVERY)
                async with receiver.decoding:
                    door.health.notes = [_note(decoder)]
                    held = _held(decoder) if decoder.changed else None
                    decoder.changed = False
                if held is not None:
                    await asyncio.to_thread(write_durably, record, held)
        finally:
            await receiver.finish(DRAIN_SECONDS)
            await asyncio.to_thread(write_durably, record, _held(decoder))
            left = sum(map(len, decoder.waiting.values()))
            door.inlet.lost(left, "flow_without_template")
            door.health.up = False


@dataclass(slots=True)
class FlowReceiver(UdpReceiver):
    """A UDP socket whose datagrams are read as flows before they are spooled. decoding: held while a thread uses the
    decoder, and by whoever looks into it."""

    decoder: Decoder = field(default_factory=Decoder)
    decoding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def message(self, data: bytes) -> bytes:
        """The whole datagram: it is no text."""
        return data

    async def lines(self, peer: str, messages: list[bytes]) -> list[bytes]:
        """The flows that the datagrams hold."""
        async with self.decoding:
            found = await asyncio.to_thread(self.decoder.decode, peer, messages)
            counts = self.decoder.take_counts()
        for reason, n in counts.items():
            self.inlet.lost(n, reason)
        return found


def _note(decoder: Decoder) -> Note:
    known = decoder.exporters.known
    exporters, templates = len({key[0] for key in known}), sum(len(one.templates) for one in known.values())
    waiting = sum(map(len, decoder.waiting.values()))
    return Note(
        f"送り元 {exporters}、テンプレート {templates}、テンプレート待ち {waiting} 組。",
        f"{exporters} exporters, {templates} templates, {waiting} sets wait for theirs",
    )


def _held(decoder: Decoder) -> bytes:
    return orjson.dumps({"exporters": decoder.exporters.as_list()})


def _load(record: Path) -> Exporters:
    """What was known before the last stop; nothing where that cannot be read: templates come again."""
    try:
        return Exporters.of_list(orjson.loads(record.read_bytes())["exporters"])
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return Exporters()
