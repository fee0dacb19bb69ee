"""A signal as correlations and baselines keep it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from hinomi.identity import account

ACCOUNTS = frozenset(
    {"user.name", "user.target.name", "user.email", "source.user.name", "winlog.event_data.TargetUserName"}
)


class Entry(NamedTuple):
    """time: ns since 1970; id: the signal's; rule: id of the rule that matched; fields: dotted field → value.

    of: the alert whose window this entry stands for, when the "rule" is itself a correlation; else empty.
    """

    time: int
    id: str
    rule: str
    event_id: str
    dataset: str
    fields: dict[str, Any]
    of: str = ""

    def who(self, field: str) -> str | None:
        """A field to group or count by: accounts and hosts in one spelling, so that each is one in every log."""
        value = self.value(field)
        if value is None:
            return None
        if field in ACCOUNTS:
            return account(value)
        return value.lower() if field == "host.name" else value

    def value(self, field: str) -> str | None:
        """A field as text, None when missing; of a list the first element."""
        value = self.fields.get(field)
        if isinstance(value, list):
            value = value[0] if value else None
        return None if value is None else str(value)


def entries(frame: pl.DataFrame) -> Iterator[tuple[str, Entry]]:
    """(role, entry) of each row of a signal frame."""
    rows = frame.select(
        pl.col("@timestamp").dt.epoch("ns"),
        "event.id",
        "rule.id",
        "hinomi.signal.event_id",
        "hinomi.signal.event_dataset",
        "hinomi.signal.fields",
        "hinomi.signal.role",
    )
    for time, identity, rule, event, dataset, fields, role in rows.iter_rows():
        known = {key: value for key, value in orjson.loads(fields or "{}").items() if value is not None}
        yield role, Entry(time, identity, rule, event, dataset, known)
