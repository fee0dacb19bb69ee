"""Which dead letters are events by now: they stay where they are, and count as unread no longer."""

from collections.abc import Iterable

from hinomi.identity import digest
from hinomi.store import Records

KIND = "replayed"
_IDS, _PAGE = 1_000, 100
"""Ids in a record, records in a page of them."""


def mark(records: Records, ids: Iterable[str]) -> None:
    """These letters were read again with success. The same ids again change nothing."""
    every = sorted(ids)
    for start in range(0, len(every), _IDS):
        some = every[start : start + _IDS]
        records.put(KIND, digest(KIND, *some), {"ids": some})


def marked(records: Records) -> set[str]:
    """The ids of all letters that were."""
    found: set[str] = set()
    after = ""
    while page := records.find(KIND, limit=_PAGE, after=after):
        found.update(one for record in page for one in record.body["ids"])
        after = page[-1].id
    return found
