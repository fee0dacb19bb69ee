"""Tables whose columns come in any order (`header: by_name`): which header the lines of each sender (file) stand below.

A line arrives alone, so whoever reads lines batch by batch keeps here the header of each sender, as a record beside the pins: a
process may end in the middle of a file. The record says as well where the header came and what was above it, so that lines
before it that are read again after a crash are read as the first time.
"""

from dataclasses import dataclass, field

import polars as pl
import structlog

from collectors import pins
from collectors.pins import NamedHeader, Removals, Sender
from collectors.source import UNDER, Source
from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.store import Records

log = structlog.get_logger()
_SENDERS = 10_000


@dataclass(slots=True)
class NamedHeaders:
    """records: where headers are kept (None: in memory only)."""

    records: Records | None = None
    clock: Clock | None = None
    _known: dict[Sender, NamedHeader] | None = None
    _removals: Removals = field(default_factory=Removals)

    def above(self, lines: pl.DataFrame, ids: pl.Series, source: Source, origin: str) -> pl.DataFrame:
        """The lines (`row`, `message`, `peer`) with the header that each stands below; of any other source as they are.

        ids: `event.id` of each line."""
        if source.named is None:
            return lines
        known = self._all()
        peers: list[str] = lines["peer"].unique(maintain_order=True).to_list()
        held = {peer: known.get((source.name, origin, peer), NamedHeader()) for peer in peers}
        again = set(ids.filter(ids.is_in([one.at for one in held.values()])))
        before = {peer: one.before if one.at in again else one.line for peer, one in held.items()}
        told = source.named.under(lines, before)
        below = told.select("peer", UNDER, ids.alias("at")).filter(pl.col(UNDER) != "")
        last = below.group_by("peer", maintain_order=True).agg(pl.col(UNDER).last())
        began = below.join(last, on=["peer", UNDER], how="semi").unique(["peer"], keep="first")
        for peer, line, at in began.rows():
            if line != held[peer].line:
                self._remember((source.name, origin, peer), NamedHeader(line, before[peer], at))
        return told

    def _all(self) -> dict[Sender, NamedHeader]:
        if self._known is None or (self._known and self._removals.any(self.records, self.clock)):
            try:
                self._known = {} if self.records is None else pins.named_headers(self.records)
            except StoreError as error:
                self._removals.again()
                log.error("table_headers_not_read", reason=str(error))
        return {} if self._known is None else self._known

    def _remember(self, sender: Sender, header: NamedHeader) -> None:
        """At once: were the lines below it read again after a crash without it, nobody would know their columns."""
        known = self._all()
        while len(known) >= _SENDERS and sender not in known:
            oldest = next(iter(known))
            del known[oldest]
            self._keep(oldest, None)
        known[sender] = header
        self._keep(sender, header)

    def _keep(self, sender: Sender, header: NamedHeader | None) -> None:
        if self.records is None or self.clock is None:
            return
        try:
            if header is None:
                pins.header_is_declared(self.records, sender)
            else:
                pins.header_is_named(self.records, self.clock, sender, header)
        except StoreError as error:
            log.error("table_headers_not_kept", reason=str(error))
