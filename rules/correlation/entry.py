"""A signal as the correlator keeps it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from hinomi.identity import account

ACCOUNTS = frozenset(
    {"user.name", "user.target.name", "user.email", "source.user.name", "winlog.event_data.TargetUserName"}
)


class Entry(NamedTuple):
    """time: ns since 1970; id: the signal's; rule: id of the rule that matched; fields: dotted field → value."""

    time: int
    id: str
    rule: str
    event_id: str
    dataset: str
    fields: dict[str, Any]

    def who(self, field: str) -> str | None:
        """A field to group by: accounts in one spelling, so that a person is one person in every log."""
        value = self.value(field)
        return account(value) if value is not None and field in ACCOUNTS else value

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
