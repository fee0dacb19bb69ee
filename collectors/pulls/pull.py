"""A pull: how one SaaS is asked for its log, again and again, so that nothing is missed or taken twice.

A kind is one file in this folder: a `Pull` with the service's settings, how it signs in, and `pages`, which yields
what each answer held with the cursor after it. Whoever runs it spools a page durably before it asks for the next, and
then saves the cursor: code that stands after a `yield` (an acknowledgement) runs only when the page is safe.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator

from collectors.pulls.api import Api
from collectors.pulls.signin import SignIn
from hinomi.config import Section
from hinomi.identity import digest
from hinomi.secret import Secret

Cursor = Mapping[str, Any]
"""How far a service was read: small JSON that only the kind itself understands; empty at the first start."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one answer: JSON text of each, the identity of each, and the cursor once they are safe."""

    payloads: list[bytes]
    ids: list[str]
    cursor: Cursor


class Pull(Section):
    """What every kind has. source: format of the records; every: seconds between rounds; first_hours: how far back
    the first round reaches; overlap: minutes that each round reads again, for records that come late; settle: seconds
    that a record may take until it can be asked for; proxy: URL of a forward proxy, proxy_auth: its `user:password`.
    """

    kind: str
    source: str
    url: str
    every: float = Field(default=60.0, ge=5)
    first_hours: float = Field(default=24.0, gt=0, le=24 * 180)
    overlap: float = Field(default=15.0, ge=0, le=7 * 24 * 60)
    settle: float = Field(default=60.0, ge=0)
    proxy: str | None = None
    proxy_auth: Secret | None = None
    ca: Path | None = None

    longest: ClassVar[timedelta] = timedelta(hours=6)
    """The longest time that one question may ask for."""

    @field_validator("url", "proxy")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("https://", "http://")) or "@" in value:
            raise ValueError(
                "https:// か http:// で始まり、利用者名やパスワードを含まない URL を書いてください。"
                "|write a URL that begins with https:// or http:// and holds no user name or password"
            )
        return value.rstrip("/")

    def sign_in(self) -> SignIn:
        """How the service learns who asks."""
        raise NotImplementedError

    def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """One round, from the cursor until now. Raises DependencyDown or Refused."""
        raise NotImplementedError

    def windows(self, until: str | None, now: datetime) -> Iterator["Window"]:
        """The stretches of time to ask for, oldest first: from a little before where the last round ended."""
        end = now - timedelta(seconds=self.settle)
        first = end - timedelta(hours=self.first_hours)
        start = first if until is None else datetime.fromisoformat(until) - timedelta(minutes=self.overlap)
        reach = self.reach()
        start = max(start, end - reach) if reach else start
        while start < end:
            stop = min(start + self.longest, end)
            yield Window(start, stop)
            start = stop

    def reach(self) -> timedelta | None:
        """How far back the service answers at all; None: as far as one asks."""
        return None


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, UTC, from `start` up to and without `end`."""

    start: datetime
    end: datetime

    @property
    def until(self) -> str:
        """The end as a cursor keeps it."""
        return self.end.isoformat()


def stamp(time: datetime, *, parts: str = "seconds") -> str:
    """A time as most services write it: 2026-11-20T03:14:07Z."""
    return time.astimezone(UTC).isoformat(timespec=parts).replace("+00:00", "Z")


def page(records: Iterable[Mapping[str, Any]], key: str | None, cursor: Cursor) -> Page:
    """A page of records whose identity is the text under `key`; what has none is known by its whole content."""
    payloads, ids = [], []
    for record in records:
        text = as_json(record)
        given = record.get(key) if key else None
        ids.append(str(given) if given else digest(text.decode()))
        payloads.append(text)
    return Page(payloads, ids, cursor)


def as_json(record: Mapping[str, Any]) -> bytes:
    """A record on one line. The standard library keeps numbers of any length and the order of the keys."""
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
        return json.dumps(record, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Progress:
    """A cursor of several streams of one service, each with its own mark."""

    marks: Mapping[str, Any]

    def of(self, stream: str) -> Any:
        """The mark of a stream, None at first."""
        return self.marks.get(stream)

    def at(self, stream: str, mark: Any) -> Self:
        """With one mark moved."""
        return type(self)({**self.marks, stream: mark})
