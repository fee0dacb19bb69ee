"""Whose what arrives is: by the listener, sender or pull that it came through, else by the address that sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import polars as pl
from pydantic import Field

from collectors.enrich.places import Prefixes, read_address
from collectors.enrich.settings import Network
from hinomi.batch import Batch
from hinomi.config import Section
from hinomi.organization import FIELD, ID
from hinomi.words import Words

OrganizationId = Annotated[str, Field(pattern=rf"^{ID}$")]


class OrganizationSettings(Section):
    """`organizations:` the municipalities or departments that one tower watches and keeps apart; the key is what
    accounts and events name it by.

    name_ja, name_en: as people read it; origins: names under `listen:` and `pull:` (and senders there) whose lines are
    its, a pull with all formats that it tells apart; networks: addresses of devices that send to a listener of nobody's,
    the smallest network counts. An address of UDP can be forged: whom that matters to has a listener of their own.
    """

    name_ja: str = ""
    name_en: str = ""
    origins: list[str] = Field(default_factory=list)
    networks: list[Network] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Organizations:
    """Organisations as configured; none where one tower is one city's."""

    names: Mapping[str, Words] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    networks: Prefixes[str] = field(default_factory=lambda: Prefixes(()))

    @classmethod
    def of(
        cls, settings: Mapping[str, OrganizationSettings], parts: Mapping[str, str] | None = None
    ) -> "Organizations":
        """From the configuration. parts: an origin that a pull tells apart by itself → the pull's name, whose it is where
        it is not named itself."""
        origins = {origin: name for name, one in settings.items() for origin in one.origins}
        of_parts = {part: origins[whole] for part, whole in (parts or {}).items() if whole in origins}
        return cls(
            {name: Words(one.name_ja or name, one.name_en or name) for name, one in settings.items()},
            {**of_parts, **origins},
            Prefixes([(network, name) for name, one in settings.items() for network in one.networks]),
        )

    def whose(self, origin: str, peer: str = "") -> str:
        """The organisation of what came through the origin from the peer; empty for nobody's."""
        named = self.origins.get(origin)
        if named is not None or not peer:
            return named or ""
        address = read_address(peer)
        return "" if address is None else self.networks.find(address) or ""


def stamped(batch: Batch, organization: str) -> Batch:
    """The batch as the organisation's, whatever its lines say of that."""
    if organization:
        own = batch.frame.with_columns(pl.lit(organization, dtype=pl.String).alias(FIELD))
        return Batch(batch.dataset, own, batch.origin)
    if FIELD in batch.frame.columns:
        return Batch(batch.dataset, batch.frame.drop(FIELD), batch.origin)
    return batch
