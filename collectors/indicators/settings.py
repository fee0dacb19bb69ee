"""`indicators:` of the configuration: where lists of indicators come from."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from hinomi.config import Section
from hinomi.secret import Secret


class FeedKind(StrEnum):
    """How a list is fetched: a TAXII 2.1 collection, a MISP feed, or one document (STIX, MISP, CSV)."""

    TAXII = "taxii"
    MISP = "misp"
    DOCUMENT = "document"


class Feed(Section):
    """One list. url: TAXII: the API root; MISP: the feed's folder; document: the file itself. collection: of TAXII.
    user: with a token the name of Basic authentication, without it the token is a bearer token. confidence (0–100) and
    days: where the list says nothing; every_hours: how often; ca: whom its TLS certificate must be from.
    """

    kind: FeedKind
    url: str = Field(pattern=r"^https?://")
    collection: str = ""
    user: str = ""
    token: Secret | None = None
    confidence: int = Field(default=50, ge=0, le=100)
    days: int = Field(default=90, ge=1, le=3650)
    every_hours: float = Field(default=6.0, gt=0)
    ca: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind is FeedKind.TAXII and not self.collection:
            raise ValueError("kind: taxii には collection が必要です。|kind: taxii needs a collection")
        return self


class IndicatorSettings(Section):
    """`indicators:` feeds by name; retro_days: how many days of stored events new indicators are looked for in."""

    feeds: dict[str, Feed] = Field(default_factory=dict)
    retro_days: int = Field(default=30, ge=0, le=365)
