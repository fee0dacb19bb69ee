"""Events that the store refuses while it takes records: a cluster with no shard left for a new day's index, or a collector without its
right. Detection then stands still, and the store answers all the same (`blindness` asks by a record); so the worker that waits says so
itself, and whoever leads looks for what it said."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hinomi.alert import Alert, Level
from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.identity import digest
from hinomi.store import Records
from hinomi.text import inert

KIND = "refusal"
"""Records, one a worker: {process, since, at (both ISO), ja, en}; at: when the store last refused."""
OUTAGE = ("outage", "events_refused")
"""The record of the outage that was told of last: {since, at} (ISO); at: when the store last refused, as far as it was told of."""
_RULE = "c069539f-c3ae-4fec-819b-eeb2988df004"
_NAMED = 5
_LONG, _FRESH = timedelta(minutes=1), timedelta(minutes=5)
"""How long a refusal lasts before it is noted; a note that is older than the other is of a worker that stores again, or is gone."""


@dataclass(slots=True)
class Refusals:
    """One worker's. records: over a connection that is not busy with the events."""

    records: Records
    process: str
    clock: Clock
    _since: datetime | None = None
    _took: bool = False

    def refused(self, error: StoreError) -> None:
        """The store refused events just now."""
        now = self.clock.now()
        self._since = self._since or self._before(now)
        if now - self._since < _LONG:
            return
        since = self._since.isoformat()
        body = {
            "process": self.process,
            "since": since,
            "at": now.isoformat(),
            "ja": error.ja,
            "en": error.en,
        }
        try:
            self.records.put(KIND, self.process, body)
        except StoreError:  # it takes no record either: that is told of without it (`blindness`)
            return

    def taken(self) -> None:
        """It took them."""
        self._since, self._took = None, True

    def _before(self, now: datetime) -> datetime:
        """Since when: this process has just begun, and the one before it was refused a moment ago: it is the same outage."""
        if not self._took:
            with suppress(StoreError, KeyError, ValueError, TypeError):  # whatever the record holds
                held = self.records.get(KIND, self.process)
                if held is not None and now - datetime.fromisoformat(held.body["at"]) < _FRESH:
                    return min(datetime.fromisoformat(held.body["since"]), now)
        return now


def look(records: Records, now: datetime, after: timedelta, tell: Callable[[Alert], object]) -> int:
    """Tell of the workers whose events the store has refused for so long and refuses now; how many. One alert an outage."""
    found, spans = [], []
    for one in records.find(KIND, limit=1_000):
        since, at = (datetime.fromisoformat(str(one.body[name])) for name in ("since", "at"))
        if now - at < _FRESH and at - since >= after:
            found.append((since, str(one.body["process"]), str(one.body["ja"]), str(one.body["en"])))
            spans.append((since, at))
    if found:
        found.sort()
        tell(_alert(found, _begun(records, spans), now))
    return len(found)


def _begun(records: Records, spans: list[tuple[datetime, datetime]]) -> datetime:
    """When the outage began. spans: since when each worker is refused, and when it was last. Workers recover one by one, and others are
    refused meanwhile; whoever is refused first after the last refusal of all others, and of what was told of, begins another outage."""
    at = max(until for _, until in spans)
    with suppress(StoreError, KeyError, ValueError, TypeError):  # whatever the record holds
        if (held := records.get(*OUTAGE)) is not None:
            began, until = (
                datetime.fromisoformat(held.body[name]).astimezone(UTC) for name in ("since", "at")
            )
            spans = [*spans, (began, until)]
    since = at
    for began, until in sorted(spans, key=lambda span: span[1], reverse=True):
        if until >= since:
            since = min(since, began)
    with suppress(StoreError):  # people are called all the same
        records.put(*OUTAGE, {"since": since.isoformat(), "at": at.isoformat()})
    return since


def _alert(found: Sequence[tuple[datetime, str, str, str]], since: datetime, now: datetime) -> Alert:
    """found: (since, process, reason in Japanese and English), earliest first. It is the same as long as the outage lasts: what grew
    would be news each minute."""
    more = len(found) - _NAMED
    ja = "、".join(f"{inert(process, 80)}: {inert(why, 300)}" for _, process, why, _ in found[:_NAMED])
    en = "; ".join(f"{inert(process, 80)}: {inert(why, 300)}" for _, process, _, why in found[:_NAMED])
    return Alert(
        id=digest(_RULE, since.isoformat()),
        rule_id=_RULE,
        rule_name="events_refused",
        title_ja="保管庫がログを受け取らず、検知が止まっている",
        title_en="The store takes no events: detection stands still",
        level=Level.CRITICAL,
        kind="correlation",
        first=since,
        last=since,
        detected=now,
        event_count=1,
        reason_ja=ja + (f"、ほか {more}" if more > 0 else ""),
        reason_en=en + (f"; {more} more" if more > 0 else ""),
        what_to_do_ja="保管庫の担当者に、理由の示すところ(シャードの上限、ディスク、書き込みの禁止、利用者の権限)を"
        "直してもらい、hinomi doctor で確かめてください。ログはスプールに残り、直れば自動で追いつきます。",
        what_to_do_en="Have whoever keeps the store mend what the reason names (limit of shards, disk, a block on an index,"
        " the user's rights) and see hinomi doctor. Lines stay in the spool; all catches up by itself.",
        tags=["attack.t1562.001"],
        guideline=["MIC-6.1-(6)-c"],
    )
