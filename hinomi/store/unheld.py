"""Fields that a query names and no stored event has: nothing is found then, whatever happened, and whoever asks must hear why."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hinomi.query import fields_in, parse
from hinomi.store.protocols import Events
from hinomi.text import inert

_MOST, _LIKE = 3, 0.75
_SHORT = {"src": "source", "dst": "destination", "dest": "destination", "usr": "user"}
"""How products begin names for which ECS has a longer word."""


@dataclass(frozen=True, slots=True)
class Unheld:
    """field: as the query has it, made harmless; near: fields that are held and are called much the same, the nearest first."""

    field: str
    near: tuple[str, ...]

    @property
    def ja(self) -> str:
        """For the person, in Japanese."""
        near = f"近い名前: {'、'.join(self.near)}" if self.near else "綴りを確かめてください。"
        return f"項目「{self.field}」を持つログは保存されていません。{near}"

    @property
    def en(self) -> str:
        """In English."""
        near = f"near names: {', '.join(self.near)}" if self.near else "check its spelling"
        return f'no stored event has the field "{self.field}"; {near}'


def unheld(events: Events, query: str) -> list[Unheld]:
    """The fields of a query (one that can be read) that no event here has. Raises QueryError, StoreError."""
    asked = fields_in(parse(query))
    if not asked:
        return []
    held = events.fields()
    return [Unheld(inert(name, 100), tuple(_near(name, held))) for name in sorted(asked) if name not in held]


def _near(name: str, held: Iterable[str]) -> list[str]:
    """`src_ip`, `SourceIP`, `sourceip` are all near `source.ip`."""
    wanted, bare = _bare(name), dict[str, list[str]]()
    for one in sorted(held):
        bare.setdefault(_bare(one), []).append(one)
    if same := bare.get(wanted):
        return same[:_MOST]
    found = difflib.get_close_matches(wanted, bare, n=_MOST, cutoff=_LIKE)
    return [one for plain in found for one in bare[plain]][:_MOST]


def _bare(name: str) -> str:
    plain = re.sub(r"[\W_]", "", name.lower())
    for short, long in _SHORT.items():
        if plain.startswith(short):
            return long + plain.removeprefix(short)
    return plain
