"""Several streams of one service, each with its own mark: one that is refused keeps none of the others back."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from collectors.pulls.api import Api
from collectors.pulls.findings import Finding
from collectors.pulls.pull import ApiPull, Cursor, Page, Window
from collectors.pulls.signin import SignInRefused
from hinomi.errors import DependencyDown, HinomiError, Refused


class PartlyRefused(Refused):
    """Some streams were not read; the others were, whole."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The cursor: how far each stream was read."""

    marks: Mapping[str, Any]

    def of(self, stream: str) -> Any:
        """The mark of a stream, None at first."""
        return self.marks.get(stream)

    def at(self, stream: str, mark: Any) -> Self:
        """With one mark moved."""
        return type(self)({**self.marks, stream: mark})


class StreamPull(ApiPull):
    """What is asked stream by stream, each for stretches of time."""

    longest: ClassVar[timedelta] = timedelta(hours=6)
    """The longest time that one question may ask for."""

    def streams(self) -> Sequence[str]:
        """Names of what it asks for, in order; each has its mark in the cursor."""
        raise NotImplementedError

    def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """Pages of one stream and stretch of time, without cursors. Raises DependencyDown or Refused."""
        raise NotImplementedError

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `ApiPull.pages`. Raises at the end, naming the streams that were not read: PartlyRefused, or what was raised
        where none could be; at once where the sign-in is refused or a second stream does not answer."""
        progress, failed = Progress(cursor), dict[str, HinomiError]()
        for stream in self.streams():
            try:
                if lost := self._not_kept(stream, progress.of(stream), api.now()):
                    yield Page([], [], progress.marks, findings=(lost,))
                for window in self.windows(progress.of(stream), api.now()):
                    async with aclosing(self.ask(api, stream, window)) as pages:  # type: ignore[type-var]
                        async for found in pages:
                            yield replace(found, cursor=progress.marks)
                    progress = progress.at(stream, window.until)
                    yield Page([], [], progress.marks)
            except SignInRefused:
                raise
            except Refused as error:
                failed[stream] = error
            except DependencyDown as error:
                if any(isinstance(one, DependencyDown) for one in failed.values()):
                    raise
                failed[stream] = error
        if failed:
            raise _partly(failed) if len(failed) < len(self.streams()) else next(iter(failed.values()))

    def windows(self, until: str | None, now: datetime) -> Iterator[Window]:
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

    def _not_kept(self, stream: str, until: str | None, now: datetime) -> Finding | None:
        """The time between where the last round ended and what the service still has."""
        reach = self.reach()
        oldest = now - timedelta(seconds=self.settle) - reach if reach else None
        if until is None or oldest is None or datetime.fromisoformat(until) >= oldest:
            return None
        return Finding("time_not_kept", stream, until, until, oldest.isoformat(timespec="seconds"))

    def reach(self) -> timedelta | None:
        """How far back the service answers at all; None: as far as one asks."""
        return None


def _partly(failed: Mapping[str, HinomiError]) -> PartlyRefused:
    """What a person reads of them, by stream."""
    ja = " ".join(f"{stream}: {error.ja}" for stream, error in failed.items())
    en = "; ".join(f"{stream}: {error.en}" for stream, error in failed.items())
    return PartlyRefused(f"取れない種類があります(ほかは取れています)。{ja}", f"not all could be read: {en}")
