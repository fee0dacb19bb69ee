"""Indicators at work: live in the pipeline, renewed from their feeds, and looked for in what is stored already."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from collectors.framed import frame_of
from collectors.indicators import Held, Matcher
from collectors.indicators.fetch import Fetched, fetch
from collectors.indicators.matcher import FOUND, columns_of
from collectors.indicators.reading import Taken, Terms
from collectors.indicators.settings import Feed, IndicatorSettings
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.clock import Clock
from hinomi.errors import HinomiError, StoreError
from hinomi.ledger import Ledger
from hinomi.store import Events, Records, Span
from ops import shared
from ops.folders import cache_folder
from ops.journal import log
from ops.shared import Copy
from rules.engine import Matches, RuleSet

if TYPE_CHECKING:
    from ops.settings import Settings

_Done = TypeVar("_Done")
FEED = "indicator_feed"
_LOOK_EVERY = 5.0
_SAID = 20  # problems of one fetch that are named
_PART, _WHOLE = 50_000, 1_000  # events looked at, and fetched whole, at a time


def held(data: Path) -> Held:
    """The indicators of a data folder."""
    return Held(data / "indicators")


@dataclass(slots=True)
class LiveIndicators:
    """The indicators in force in a worker; looks for a changed file every few seconds, and for expired ones hourly."""

    held: Held
    clock: Clock
    _matcher: Matcher | None = None
    _stamp: tuple[int, int] = (0, 0)
    _looked: float = 0.0

    def mark(self, frame: pl.DataFrame) -> pl.DataFrame:
        """See `Matcher.mark`."""
        now = time.monotonic()
        if self._matcher is None or now - self._looked > _LOOK_EVERY:
            self._looked = now
            self._renew()
        return frame if self._matcher is None else self._matcher.mark(frame)

    def _renew(self) -> None:
        file = self.held.file
        changed = file.stat().st_mtime_ns if file.exists() else 0
        stamp = changed, int(self.clock.now().timestamp()) // 3600
        if stamp == self._stamp and self._matcher is not None:
            return
        self._stamp = stamp
        try:
            self._matcher = Matcher(self.held.frame(), self.clock.now())
        except HinomiError as error:
            log.error("indicators_not_loaded", reason=str(error))


@dataclass(slots=True)
class Indicators:
    """Taking indicators in for one tower. `rules` are those in force: what a hit means is theirs to say; copy: on a cluster,
    where every machine that matches gets them; by: who takes them in."""

    held: Held
    events: Events
    records: Records
    clock: Clock
    rules: RuleSet
    retro_days: int = 30
    ledger: Ledger = field(default_factory=Ledger)
    copy: Copy | None = None
    by: str = "hinomi"

    @classmethod
    def of(
        cls, data: Path, settings: "Settings", events: Events, records: Records, clock: Clock
    ) -> "Indicators":
        """For a tower as it is configured."""
        rules = settings.rules_in_force(data).load(cache_folder())
        found = cls(held(data), events, records, clock, rules, settings.indicators.retro_days)
        if settings.store.kind != "embedded":
            found.copy = Copy.of(shared.indicators(data), records, data)
        return found

    def take(self, taken: Taken, feed: str = "") -> tuple[int, int]:
        """Keep them, and look for the new ones in what is stored; (new ones, signals)."""
        new = self._changed(lambda: self.held.take(taken.taken, feed, taken.stated))
        return new.height, self.catch_up()

    def catch_up(self) -> int:
        """Look for what was not looked for yet in what is stored: a store that is away, a crash or a restart leaves it to
        the next time, and what was told is not told again. Returns the signals."""
        waiting = self.held.pending()
        if not waiting.height:
            return 0
        found = self.look_back(waiting)
        self._changed(lambda: self.held.looked(waiting))
        log.info("indicators_looked_for", indicators=waiting.height, signals=found)
        return found

    def _changed(self, act: Callable[[], _Done]) -> _Done:
        return act() if self.copy is None else self.copy.change(act, by=self.by, again=True)

    def look_back(self, new: pl.DataFrame) -> int:
        """Signals for stored events that meet these indicators, of the last `retro_days`; twice makes no second one."""
        if not new.height or not self.retro_days:
            return 0
        now = self.clock.now()
        matcher, span = Matcher(new, now), Span(now - timedelta(days=self.retro_days), None)
        columns = ["event.id", *columns_of(new["kind"].unique().to_list())]
        found = 0
        for name in (one.name for one in self.events.datasets()):
            if name not in (SIGNALS, DEAD_LETTERS):
                for frame in self.events.scan(name, span=span, columns=columns):
                    for part in frame.iter_slices(_PART):
                        found += self._met(name, matcher, part, span)
        return found

    def _met(self, dataset: str, matcher: Matcher, frame: pl.DataFrame, span: Span) -> int:
        """Signals for what of a frame meets an indicator. Only the columns that can meet one are read of all events; the
        few that do are fetched whole, some at a time."""
        marked = matcher.mark(frame)
        if FOUND not in marked.columns:
            return 0
        ids = marked.filter(pl.col(FOUND).is_not_null())["event.id"].to_list()
        return sum(
            self._signals(
                dataset, matcher, self.events.get(ids[at : at + _WHOLE], datasets=[dataset], span=span)
            )
            for at in range(0, len(ids), _WHOLE)
        )

    def _signals(self, dataset: str, matcher: Matcher, rows: list[dict[str, Any]]) -> int:
        now = self.clock.now()
        whole = Batch.of(dataset, frame_of(rows), ingested=now)
        seen = whole.frame.drop(FOUND, strict=False)  # what it met when it came does not hide what is new
        batch = Batch(dataset, matcher.mark(seen))
        matches = self.rules.match(batch)
        own = Matches([(rule, rows) for rule, rows in matches.hits if "indicator" in _own(rule.custom)])
        signals = self.rules.signals(batch, own)
        if not signals.height:
            return 0
        ids = frozenset(signals["event.id"].to_list())
        stored = self.events.append([Batch.of(SIGNALS, signals, ingested=now)], client_ids=ids).stored
        self.ledger.count("stored", stored, dataset=SIGNALS)
        return stored

    def pull(self, settings: IndicatorSettings) -> dict[str, int]:
        """Renew the feeds that are due, take out what is over, and look for what was not looked for yet; new indicators by
        feed."""
        gone = self._changed(lambda: self.held.expire(self.clock.now()))
        self.ledger.count("dropped", gone, dataset="indicators", reason="indicator_expired")
        new = {
            name: self._pull(name, feed) for name, feed in settings.feeds.items() if self._is_due(name, feed)
        }
        self.catch_up()
        return new

    def _is_due(self, name: str, feed: Feed) -> bool:
        last = self.records.get(FEED, name)
        if last is None or last.body.get("at") is None:
            return True
        return self.clock.now() - datetime.fromisoformat(last.body["at"]) >= timedelta(hours=feed.every_hours)

    def _pull(self, name: str, feed: Feed) -> int:
        last = self.records.get(FEED, name)
        body = last.body if last else {}
        mark, missing = str(body.get("mark") or ""), dict(body.get("missing") or {})
        terms = Terms(name, feed.confidence, feed.days, now=self.clock.now())
        try:
            return self._fetched(name, fetch(feed, terms, mark, missing=missing))
        except StoreError:
            raise
        except Exception as error:  # whatever a list holds: the other lists are wanted all the more
            reason = str(error) if isinstance(error, HinomiError) else _unforeseen(error)
            log.error("indicators_not_fetched", feed=name, reason=reason)
            self._note(name, Fetched(mark=mark, missing=missing, problems=[reason]))
            return 0

    def _fetched(self, name: str, fetched: Fetched) -> int:
        taken = fetched.taken
        for reason, n in taken.refused.items():
            self.ledger.count("dropped", n, dataset=f"indicators/{name}", reason=f"indicator_{reason}")
        new = self._changed(lambda: self.held.take(taken.taken, name, taken.stated)).height
        for problem in fetched.problems[:_SAID]:
            log.error("indicators_not_fetched", feed=name, reason=problem)
        self._note(name, fetched)
        log.info("indicators_fetched", feed=name, new=new, missing=len(fetched.missing))
        return new

    def _note(self, name: str, fetched: Fetched) -> None:
        body = {
            "at": self.clock.now().isoformat(),
            "mark": fetched.mark,
            "missing": fetched.missing,
            "error": " / ".join(fetched.problems[:_SAID]),
        }
        self.records.put(FEED, name, body)


def _unforeseen(error: Exception) -> str:
    about = f"{type(error).__name__}: {error}"
    return f"一覧を取り込めません({about})。(the list cannot be taken in: {about})"


def _own(custom: object) -> dict[str, object]:
    held = custom.get("hinomi") if hasattr(custom, "get") else None
    return held if isinstance(held, dict) else {}
