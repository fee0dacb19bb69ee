"""A signal as correlations and baselines keep it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import Any, NamedTuple

import orjson
import polars as pl

from hinomi import ecs
from hinomi.identity import account

ACCOUNTS = frozenset(
    {"user.name", "user.target.name", "user.email", "source.user.name", "winlog.event_data.TargetUserName"}
)
MOST_VALUES = 1_000
"""Values of one event's list that are counted, or in whose groups it is: what a sender writes may be a megabyte of them."""
_NULL = ":null"
_BESIDE = 350
"""Bytes of a kept signal beside its text: measured (benchmarks.correlate)."""
_SIGN = f"\\u{ord(ecs.BETWEEN):04x}"
"""How JSON writes what stands between several values."""


_account = lru_cache(maxsize=20_000)(account)


@lru_cache(maxsize=20_000)
def _parsed(raw: str) -> dict[str, Any]:
    held: dict[str, Any] = orjson.loads(raw)
    return held if _SIGN not in raw else {name: _whole(name, value) for name, value in held.items()}


def _whole(name: str, value: Any) -> Any:
    return ecs.values_of(value) if isinstance(value, str) and ecs.several(name) else value


class Entry(NamedTuple):
    """time: ns since 1970; event: the event's id; rule: id of the rule that matched; raw: JSON text of dotted field →
    value, which takes a third of the room of a dictionary.

    of: the alert whose window this entry stands for, when the "rule" is itself a correlation; mark: how far event time
    had come when it arrived (ns); share: of how many groups of one correlation it is, which have it and its text together.
    Within a group the first three are its identity.
    """

    time: int
    event: str
    rule: str
    dataset: str
    raw: str
    of: str = ""
    mark: int = 0
    share: int = 1

    @classmethod
    def made(
        cls, time: int, event: str, rule: str, dataset: str, fields: Mapping[str, Any], of: str = ""
    ) -> "Entry":
        """An entry of fields that are not text yet."""
        return cls(time, event, rule, dataset, _without_nulls(fields), of)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Dotted field → value; what is null is left out."""
        return _parsed(self.raw)

    @property
    def weight(self) -> int:
        """Bytes that it takes where it is kept, reckoned: of one group its part."""
        return (_BESIDE + len(self.raw)) // self.share

    @classmethod
    def loaded(cls, body: Sequence[Any]) -> "Entry":
        """What `list` of an entry gave: those of several groups have one text again."""
        held = cls(*body)
        return held._replace(raw=intern(held.raw)) if held.share > 1 else held

    def who(self, field: str) -> str | None:
        """A field to group or count by: accounts and hosts in one spelling, so that each is one in every log."""
        value = self.value(field)
        return None if value is None else _spelt(field, value)

    def whos(self, field: str, most: int = MOST_VALUES) -> tuple[str, ...]:
        """Each value of a field as `who` spells it, once: of a list all that stand in it, `most` of them."""
        value = _parsed(self.raw).get(field)
        if value.__class__ is str:
            return (_spelt(field, value),)
        several = dict.fromkeys(_spelt(field, one) for one in self.values(field))
        return tuple(islice(several, most))

    def one_of_each(self, fields: Sequence[str]) -> tuple[str, ...] | None:
        """The value of each field as `who` spells it; None where one is missing or is no single text (see `whos`)."""
        held, found = _parsed(self.raw), []
        for field in fields:
            value = held.get(field)
            if value.__class__ is not str:
                return None
            found.append(_spelt(field, value))
        return tuple(found)

    def values(self, field: str) -> tuple[str, ...]:
        """Each value of a field as text, of a list all that stand in it; none when missing."""
        value = _parsed(self.raw).get(field)
        if value.__class__ is list:
            return tuple(str(one) for one in value if one is not None)
        return () if value is None else (str(value),)

    def value(self, field: str) -> str | None:
        """A field as text, None when missing; of a list the first element."""
        value = _parsed(self.raw).get(field)
        if value.__class__ is str:
            return value
        if isinstance(value, list):
            value = value[0] if value else None
        return None if value is None else str(value)


def _spelt(field: str, value: str) -> str:
    if field in ACCOUNTS:
        return _account(value)
    return value.lower() if field == "host.name" else value


def _without_nulls(fields: Mapping[str, Any]) -> str:
    return orjson.dumps({key: value for key, value in fields.items() if value is not None}).decode()


def entries(frame: pl.DataFrame, mark: int = 0) -> Iterator[tuple[str, Entry]]:
    """(role, entry) of each row of a signal frame."""
    rows = frame.select(
        pl.col("hinomi.signal.role"),
        pl.col("@timestamp").dt.epoch("ns"),
        pl.col("hinomi.signal.event_id").fill_null(""),
        pl.col("rule.id"),
        pl.col("hinomi.signal.event_dataset").fill_null(""),
        pl.col("hinomi.signal.fields").fill_null("{}"),
    )
    shared: dict[str, str] = {}
    for role, time, event, rule, dataset, raw in rows.iter_rows():
        if _NULL in raw:
            raw = _without_nulls(_parsed(raw))
        yield (
            role,
            Entry(
                time, event, shared.setdefault(rule, rule), shared.setdefault(dataset, dataset), raw, "", mark
            ),
        )
