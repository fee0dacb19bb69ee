"""A pull: how a service or a queue is asked for its log, again and again, so that nothing is missed or taken twice.

A kind is one file in this folder: a `Pull` with its settings and `round`, which yields what each answer held with the
cursor after it. Whoever runs it spools a page durably before it asks for the next, and then saves the cursor: code that
stands after a `yield` (an acknowledgement, a deleted message, a committed offset) runs only when the page is safe.
What has an HTTP API is an `ApiPull`: how it signs in, and `pages`; where it is asked for stretches of time, see `streams`.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, field_validator

from collectors.pulls.api import Api
from collectors.pulls.findings import Finding
from collectors.pulls.signin import SignIn
from collectors.pulls.work import Work
from collectors.way_out import WayOut, plain_address
from hinomi.config import Section
from hinomi.identity import digest

Cursor = Mapping[str, Any]
"""How far a service was read: small JSON that only the kind itself understands; empty at the first start."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one answer: text of each, the identity of each, and the cursor once they are safe.

    source: their format, where it is not the pull's own; `collectors.unopened.ORIGIN` for what could not be opened;
    sender: whom they are of, where it is not the pull's address; findings: what could not be brought.
    """

    payloads: list[bytes]
    ids: list[str]
    cursor: Cursor
    source: str = ""
    sender: str = ""
    findings: tuple[Finding, ...] = ()


class Pull(Section):
    """What every kind has. source: format of the records; every: seconds between rounds."""

    kind: str
    source: str
    every: float = Field(default=60.0, ge=5)

    def address(self) -> str:
        """Where it asks: for the doctor, and the sender of its records."""
        raise NotImplementedError

    def sources(self) -> set[str]:
        """Formats that it tells apart by itself, besides its own."""
        return set()

    def origins(self, name: str) -> dict[str, str]:
        """Format → the origin under which its records are spooled and counted; its own is the pull's name."""
        others = {source: f"{name}.{source.rpartition('.')[2]}" for source in self.sources() - {self.source}}
        return {self.source: name, **others}

    def round(self, work: Work, cursor: Cursor) -> AsyncIterator[Page]:
        """What there is since the cursor; a queue may go on for ever. Raises DependencyDown or Refused."""
        raise NotImplementedError


class ApiPull(WayOut, Pull):
    """What is asked over HTTP for stretches of time. first_hours: how far back the first round reaches; overlap: minutes
    that each round reads again, for records that come late; settle: seconds that a record may take until it can be asked
    for; proxy: URL of a forward proxy, proxy_auth: its `user:password`.
    """

    url: str
    first_hours: float = Field(default=24.0, gt=0, le=24 * 180)
    overlap: float = Field(default=15.0, ge=0, le=7 * 24 * 60)
    settle: float = Field(default=60.0, ge=0)

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        return plain_address(value) or ""

    def address(self) -> str:
        """See `Pull.address`."""
        return self.url

    async def round(self, work: Work, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.round`: one client for the whole of it."""
        from collectors.pulls.client import client

        async with client(self.url, self) as there:
            api = Api(there, self.sign_in(), work.clock, work.sleep)
            async with aclosing(self.pages(api, cursor)) as pages:  # type: ignore[type-var]
                async for found in pages:
                    yield found
            work.problem = _skewed(api)

    def sign_in(self) -> SignIn:
        """How the service learns who asks."""
        raise NotImplementedError

    def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """One round, from the cursor until now. Raises DependencyDown or Refused."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, UTC, from `start` up to and without `end`."""

    start: datetime
    end: datetime

    @property
    def until(self) -> str:
        """The end as a cursor keeps it."""
        return self.end.isoformat()


def _skewed(api: Api) -> str:
    seconds = int(api.skew.total_seconds())
    return f"相手の時計と {abs(seconds)} 秒ずれています(時刻同期を確かめてください)。" if seconds else ""


def stamp(time: datetime, *, parts: str = "seconds") -> str:
    """A time as most services write it: 2026-11-20T03:14:07Z."""
    return time.astimezone(UTC).isoformat(timespec=parts).replace("+00:00", "Z")


def page(
    records: Iterable[Mapping[str, Any]],
    key: str | None,
    source: str = "",
    *,
    twins: Counter[bytes] | None = None,
) -> Page:
    """A page of records whose identity is the text under `key`; what has none is known by its whole content.

    twins: how often each content came in this question so far; equal ones are then told apart by their order, which is the
    same whenever a question covers the whole time that they can be of. The cursor is set by whoever asks.
    """
    payloads, ids = [], []
    for record in records:
        text = as_json(record)
        given = record.get(key) if key else None
        ids.append(str(given) if given else _by_content(text, twins))
        payloads.append(text)
    return Page(payloads, ids, {}, source)


def _by_content(text: bytes, twins: Counter[bytes] | None) -> str:
    before = 0
    if twins is not None:
        before, twins[text] = twins[text], twins[text] + 1
    return digest(text.decode(), str(before)) if before else digest(text.decode())


def as_json(record: Mapping[str, Any]) -> bytes:
    """A record on one line. The standard library keeps numbers of any length and the order of the keys."""
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
        return json.dumps(record, separators=(",", ":")).encode()
