"""What is known of each exporter: its templates, how it samples, when it started, which number is due next."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import polars as pl

from collectors.flows.packets import Packet
from collectors.flows.template import Field, Template

Key = tuple[str, int, int]
"""Address of the exporter, version, observation domain."""
MOST_TEMPLATES = 1024
MOST_EXPORTERS = 4096
_MOST_SKIPPED = 100_000  # more than that is an exporter that began anew
_SAMPLING = ("samplingInterval", "samplerRandomInterval")
_SAMPLERS = ("samplerId", "selectorId")


@dataclass(slots=True)
class Exporter:
    """One observation domain. sampling: one of so many packets, 0 unknown; samplers: the same by a sampler's id;
    started: ms since 1970, of exporters that tell times from their start; before: sequence number of the last datagram
    with the steps that it may have taken, None where that is not known."""

    templates: "OrderedDict[int, Template]" = field(default_factory=OrderedDict)
    sampling: int = 0
    samplers: dict[int, int] = field(default_factory=dict)
    started: int = 0
    before: tuple[int, tuple[int, ...]] | None = None

    def learn(self, identity: int, template: Template | None) -> bool:
        """Take in a template (None: withdrawn); whether anything changed."""
        if template is None:
            return self.templates.pop(identity, None) is not None
        changed = self.templates.get(identity) != template
        self.templates[identity] = template
        self.templates.move_to_end(identity)
        while len(self.templates) > MOST_TEMPLATES:
            self.templates.popitem(last=False)
        return changed

    def told(self, options: pl.DataFrame) -> bool:
        """Take in what records about the exporter say; whether anything changed."""
        before = (self.sampling, dict(self.samplers), self.started)
        for row in options.head(1000).iter_rows(named=True):
            self.started = int(row.get("systemInitTimeMilliseconds") or self.started)
            rate = next((int(row[name]) for name in _SAMPLING if row.get(name)), 0)
            if not rate and row.get("samplingPacketInterval"):
                taken = int(row["samplingPacketInterval"])
                rate = (taken + int(row.get("samplingPacketSpace") or 0)) // taken
            if rate:
                sampler = next((int(row[name]) for name in _SAMPLERS if row.get(name) is not None), None)
                if sampler is None:
                    self.sampling = rate
                elif len(self.samplers) < MOST_TEMPLATES:
                    self.samplers[sampler] = rate
        return before != (self.sampling, self.samplers, self.started)

    def skipped(self, packet: Packet, records: tuple[int, int] | None) -> int:
        """How much the sequence numbers leave out before this datagram: datagrams of version 9, else flows.

        records: in the datagram, with those about the exporter and without; None where that is not known. Of IPFIX
        exporters some count a datagram's records before they send it (softflowd), and not all count the ones about
        themselves: of what each way of counting finds missing the least is told.
        """
        before = self.before
        steps = (1,) if packet.version == 9 else records
        self.before = None if steps is None else (packet.sequence, steps)
        if before is None or steps is None:
            return 0
        taken = {*before[1], *(steps[1:] if packet.version == 10 else ())}
        missed = min((packet.sequence - before[0] - step) & 0xFFFFFFFF for step in taken)
        late = any((before[0] + step - packet.sequence) & 0xFFFFFFFF < _MOST_SKIPPED for step in taken)
        return missed if missed <= _MOST_SKIPPED and not late else 0


@dataclass(slots=True)
class Exporters:
    """Every exporter heard of, the one that spoke last at the end; who is too many is forgotten first."""

    known: "OrderedDict[Key, Exporter]" = field(default_factory=OrderedDict)

    def of(self, key: Key) -> Exporter:
        """One exporter."""
        exporter = self.known.setdefault(key, Exporter())
        self.known.move_to_end(key)
        while len(self.known) > MOST_EXPORTERS:
            self.known.popitem(last=False)
        return exporter

    def as_list(self) -> list[dict[str, Any]]:
        """Everything but the sequence numbers, for the record."""
        return [
            {
                "key": list(key),
                "sampling": one.sampling,
                "samplers": list(one.samplers.items()),
                "started": one.started,
                "templates": [
                    [n, t.options, [[f.number, f.length, f.enterprise] for f in t.fields]]
                    for n, t in one.templates.items()
                ],
            }
            for key, one in self.known.items()
        ]

    @classmethod
    def of_list(cls, held: list[Mapping[str, Any]]) -> Self:
        """From the record."""
        return cls(OrderedDict(_exporters(held)))


def _exporters(held: list[Mapping[str, Any]]) -> Iterator[tuple[Key, Exporter]]:
    for one in held:
        templates = OrderedDict(
            (int(n), Template(tuple(Field(*f) for f in fields), options=bool(options)))
            for n, options, fields in one["templates"]
        )
        samplers = {int(k): int(v) for k, v in one["samplers"]}
        address, version, domain = one["key"]
        exporter = Exporter(templates, int(one["sampling"]), samplers, int(one["started"]))
        yield (str(address), int(version), int(domain)), exporter
