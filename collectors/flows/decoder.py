"""Datagrams of exporters to lines, one a flow; records of one template that came together are read together."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from collectors.flows import lines, packets, sflow
from collectors.flows.exporters import Exporter, Exporters, Key
from collectors.flows.packets import V5, NotFlow, Packet
from collectors.flows.template import Template

_HOLD_SECONDS = 1800.0
_HOLD_BYTES = 8 << 20
_WRAP = 1 << 32
_NTP = 2_208_988_800  # seconds from 1900 to 1970
_START = (
    "flowStartMilliseconds",
    "flowStartSeconds",
    "flowStartMicroseconds",
    "flowStartNanoseconds",
    "flowStartSysUpTime",
)
_END = (
    "flowEndMilliseconds",
    "flowEndSeconds",
    "flowEndMicroseconds",
    "flowEndNanoseconds",
    "flowEndSysUpTime",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A set of records, with the datagram that it came in."""

    packet: Packet
    number: int
    body: bytes
    held_since: float = 0.0


Ready = dict[tuple[Key, Template], list[Part]]
"""Sets that can be read, by exporter and template."""


@dataclass(slots=True)
class Decoder:
    """exporters: what is known; counts: what was lost or left out, by reason, since the last `take_counts`; changed: the
    templates are others than were saved; waiting: sets whose template did not come yet, for half an hour."""

    exporters: Exporters = field(default_factory=Exporters)
    counts: Counter[str] = field(default_factory=Counter)
    changed: bool = False
    waiting: dict[Key, deque[Part]] = field(default_factory=dict)
    held: int = 0

    def decode(self, peer: str, datagrams: Sequence[bytes]) -> list[bytes]:
        """The flows of one sender's datagrams as lines."""
        found: list[bytes] = []
        ready: Ready = {}
        for data in datagrams:
            try:
                if data.startswith(sflow.START):
                    found += sflow.lines(peer, data, self.counts)
                else:
                    self._take(peer, packets.read(data), ready)
            except NotFlow as error:
                self.counts[error.reason] += 1
        for (key, template), parts in ready.items():
            found += self._records(key, self.exporters.of(key), template, parts)
        self._let_go()
        return found

    def take_counts(self) -> Counter[str]:
        """What was counted since the last call."""
        counts, self.counts = self.counts, Counter()
        return counts

    def _take(self, peer: str, packet: Packet, ready: Ready) -> None:
        """Learn a datagram's templates at once; keep its records by the template that holds now."""
        key = (peer, packet.version, packet.domain)
        exporter = self.exporters.of(key)
        records, about, known_all = 0, 0, True
        for number, body in packet.sets:
            if packet.version == 5:
                ready.setdefault((key, V5), []).append(Part(packet, number, body))
                records = V5.count(body)
            elif packets.is_data(number):
                known = exporter.templates.get(number)
                part = Part(packet, number, body, time.monotonic())
                if known is None:
                    self._hold(key, part)
                    known_all = False
                else:
                    ready.setdefault((key, known), []).append(part)
                    if known.options:
                        about += known.count(body)
                    else:
                        records += known.count(body)
            else:
                self._learn(key, exporter, packet, number, body, ready)
        missed = exporter.skipped(packet, (records + about, records) if known_all else None)
        if missed:
            self.counts["flow_lost_on_the_way"] += missed

    def _learn(
        self, key: Key, exporter: Exporter, packet: Packet, number: int, body: bytes, ready: Ready
    ) -> None:
        for identity, template in packets.templates(packet.version, number, body):
            if template is not None and not template.sound:
                self.counts["flow_template_unsound"] += 1
                continue
            self.changed |= exporter.learn(identity, template)
            if template is not None and (parts := self._released(key, identity)):
                ready.setdefault((key, template), []).extend(parts)

    def _records(self, key: Key, exporter: Exporter, template: Template, parts: list[Part]) -> list[bytes]:
        frame = template.frame([part.body for part in parts])
        if template.options:
            self.changed |= exporter.told(frame)
            return []
        if not frame.height:
            return []
        counts = [template.count(part.body) for part in parts]
        of_packet = pl.DataFrame(
            {
                "exported": [round(part.packet.exported * 1000) for part in parts],
                "uptime": [part.packet.uptime for part in parts],
                "sampling": [part.packet.sampling or exporter.sampling for part in parts],
            },
            schema={"exported": pl.Int64, "uptime": pl.Int64, "sampling": pl.Int64},
        )
        rows = pl.Series([i for i, n in enumerate(counts) for _ in range(n)], dtype=pl.UInt32)
        whole = pl.concat([frame, of_packet[rows]], how="horizontal")
        return _lines(whole, key, exporter)

    def _hold(self, key: Key, part: Part) -> None:
        self.waiting.setdefault(key, deque()).append(part)
        self.held += len(part.body)

    def _released(self, key: Key, identity: int) -> list[Part]:
        """What waited for a template."""
        waiting = self.waiting.get(key, deque())
        found = [part for part in waiting if part.number == identity]
        if found:
            self.held -= sum(len(part.body) for part in found)
            self.waiting[key] = deque(part for part in waiting if part.number != identity)
        return found

    def _let_go(self) -> None:
        """Count what waited for too long, or is too much to wait."""
        now = time.monotonic()
        for key in list(self.waiting):
            parts = self.waiting[key]
            while parts and (self.held > _HOLD_BYTES or now - parts[0].held_since > _HOLD_SECONDS):
                self.held -= len(parts.popleft().body)
                self.counts["flow_without_template"] += 1
            if not parts:
                del self.waiting[key]


def _lines(frame: pl.DataFrame, key: Key, exporter: Exporter) -> list[bytes]:
    """Records with the times that they mean, as lines."""
    exporter_address, version, domain = key
    start, end = (_moment(frame, names, exporter.started) for names in (_START, _END))
    sampling = pl.col("sampling")
    sampler = next((name for name in ("samplerId", "selectorId") if name in frame.columns), None)
    if sampler and exporter.samplers:
        sampling = pl.col(sampler).replace_strict(exporter.samplers, default=sampling, return_dtype=pl.Int64)
    if "samplingInterval" in frame.columns:
        sampling = pl.col("samplingInterval").cast(pl.Int64)
    told = frame.select(
        pl.lit(exporter_address).alias("exporter"),
        pl.lit(version).alias("version"),
        pl.lit(domain).alias("domain"),
        pl.col("exported"),
        start.alias("start"),
        end.alias("end"),
        sampling.alias("sampling"),
        pl.exclude("exported", "uptime", "sampling", *_START, *_END),
    )
    return lines.of_frame(told)


def _moment(frame: pl.DataFrame, names: Sequence[str], started: int) -> pl.Expr:
    """A time in ms since 1970, of whichever element tells it; null where none does."""
    found = []
    for name in names:
        if name not in frame.columns or not frame.schema[name].is_integer():
            continue
        value = pl.col(name)
        if name.endswith("Milliseconds"):
            found.append(value.cast(pl.Int64, strict=False))
        elif name.endswith("SysUpTime"):
            found.append(_since_start(value.cast(pl.Int64, strict=False), started))
        elif name.endswith("Seconds") and "Micro" not in name and "Nano" not in name:
            found.append(value.cast(pl.Int64, strict=False) * 1000)
        else:  # NTP: seconds since 1900 and their fraction, 32 bits each
            seconds = (value // (1 << 32)).cast(pl.Int64) - _NTP
            found.append(seconds * 1000 + (value % (1 << 32)).cast(pl.Int64) * 1000 // (1 << 32))
    return pl.coalesce(found) if found else pl.lit(None, dtype=pl.Int64)


def _since_start(value: pl.Expr, started: int) -> pl.Expr:
    """Of ms since the exporter started, which wrap after 49 days: told by the datagram's own uptime, or by options.
    A flow is at most 49 days old, and no younger than its datagram (but for a minute of clocks apart)."""
    by_options = pl.lit(started, dtype=pl.Int64) if started else pl.lit(None, dtype=pl.Int64)
    start = pl.when(pl.col("uptime") > 0).then(pl.col("exported") - pl.col("uptime")).otherwise(by_options)
    latest = pl.col("exported") + 60_000
    return latest - (latest - (start + value)) % _WRAP
