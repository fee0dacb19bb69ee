"""A document of any of the formats to indicators, each refused one counted by its reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from collectors.indicators import misp, stix, table
from collectors.indicators.indicator import Indicator, Refused, Stated, made
from hinomi.store.values import within


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds where a document says nothing: who warns, how sure, for how many days from when."""

    source: str
    confidence: int = 50
    days: int = 90
    now: datetime = field(kw_only=True)


@dataclass(slots=True)
class Taken:
    """taken: indicators in force; refused: how many are not, by reason; stated: the newest version of each object."""

    taken: list[Indicator] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    stated: dict[str, datetime] = field(default_factory=dict)

    def also(self, more: "Taken") -> None:
        """Add what another document says."""
        self.taken += more.taken
        self.refused.update(more.refused)
        for reference, version in more.stated.items():
            self._state(reference, version)

    def _state(self, reference: str, version: datetime) -> None:
        version = within(version)
        self.stated[reference] = max(version, self.stated.get(reference, version))

    def add(self, found: Iterable[Indicator | Refused | Stated], terms: Terms) -> None:
        """Bring each into one spelling and give it its end."""
        for one in found:
            if isinstance(one, Stated):
                self._state(one.reference, one.modified)
                continue
            try:
                if isinstance(one, Refused):
                    raise one
                own = made(one)
            except Refused as error:
                self.refused[error.reason] += 1
                continue
            try:
                expires = own.expires or own.since + timedelta(days=terms.days)
            except OverflowError:  # since a day after which no calendar has one
                self.refused["time"] += 1
                continue
            if expires <= terms.now:
                self.refused["expired"] += 1
            else:
                self.taken.append(_storable(own, expires, terms.source))


def _storable(one: Indicator, expires: datetime, feed: str) -> Indicator:
    """With times that can be kept: what holds until 9999 ("for ever") holds until the last that there is."""
    modified = None if one.modified is None else within(one.modified)
    return replace(one, since=within(one.since), expires=within(expires), modified=modified, feed=feed)


def read(data: bytes, terms: Terms) -> Taken:
    """Indicators of a STIX bundle, a MISP event or a CSV list: the document itself shows which it is."""
    taken = Taken()
    document = _document(data)
    common = terms.source, terms.confidence, terms.now
    if document is None:
        taken.add(table.indicators(data.decode("utf-8", "replace"), *common), terms)
    elif "Event" in document or "response" in document:
        taken.add(misp.indicators(document, *common), terms)
    else:
        taken.add(stix.indicators(document, *common), terms)
    return taken


def _document(data: bytes) -> dict[str, object] | None:
    if not data.lstrip().startswith((b"{", b"[")):
        return None
    try:
        held = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if isinstance(held, list):
        return {"response": held}
    return held if isinstance(held, dict) else None
