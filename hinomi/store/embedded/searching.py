"""Pages of found events: which rows of which files come next, and those rows whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any

from hinomi import query as language
from hinomi.store import asked
from hinomi.store.embedded.counting import Counting
from hinomi.store.embedded.duck import Duck, NoColumn
from hinomi.store.embedded.pinpoint import Pinpoint
from hinomi.store.embedded.plan import FILE, PLACE, ROW, TIME, Plan, Planning
from hinomi.store.embedded.rows import Hit, Rows
from hinomi.store.protocols import Page, Span

_MANY_ROWS = 1_000_000
_LIKELY = 40
"""So many pages does the newest file hold where its newest twentieth, of events evenly spread, holds two."""
_LINES = ("event.original", "message")


class Searching:
    """Questions by the search language whose answers are events."""

    def __init__(self, planning: Planning, duck: Duck, pinpoint: Pinpoint) -> None:
        self._planning = planning
        self._duck = duck
        self._pinpoint = pinpoint
        self._rows = Rows(duck)
        self._counting = Counting(planning, duck)

    def page(
        self,
        query: str,
        datasets: Sequence[str],
        span: Span | None,
        limit: int,
        after: str | None,
        oldest_first: bool,
    ) -> Page:
        """See `Events.search`."""
        return self._planning.over(
            query, datasets, span, lambda plan: self._page(plan, limit, after, oldest_first), Page([], 0)
        )

    def _page(self, plan: Plan, limit: int, after: str | None, oldest_first: bool) -> Page:
        hits = [] if oldest_first else self._late(plan, limit, after)
        if len(hits) == limit and limit:
            total = self._counting.of(plan)
        elif isinstance(plan.node, language.Everything):
            total, hits = self._counting.of(plan), self._hits(plan, limit, after, oldest_first)
        elif after is None and not oldest_first and _worth_two_scans(plan):
            counts = self._counts(plan)
            total, hits = sum(counts.values()), self._newest(plan, counts, limit)
        else:
            total, hits = self._counted_hits(plan, limit, after, oldest_first)
        return self._whole(hits, total, limit, after, oldest_first)

    def counted(self, plan: Plan, counts: Mapping[str, int], limit: int, after: str | None) -> Page:
        """A page, the newest first, of a plan of which it is known how many events match in which file, by path."""
        last = self._planning.path_of(max(plan.files, key=lambda file: file.last))
        likely = after is not None or counts.get(last, 0) > _LIKELY * limit
        hits = self._late(plan, limit, after) if likely else []
        if len(hits) < limit:
            behind = after is not None
            hits = self._hits(plan, limit, after, False) if behind else self._newest(plan, counts, limit)
        return self._whole(hits, sum(counts.values()), limit, after, False)

    def _whole(
        self, hits: Sequence[Hit], total: int, limit: int, after: str | None, oldest_first: bool
    ) -> Page:
        rows = self._rows.fetched(hits, _ordered(oldest_first))
        return Page(rows, total, _token(hits, after) if hits and len(hits) == limit else None)

    def pages(self, plan: Plan, size: int, oldest_first: bool) -> Iterator[list[dict[str, Any]]]:
        """See `Events.pages`."""
        after = None
        while True:
            try:
                hits = self._hits(plan, size, after, oldest_first)
            except NoColumn as error:
                plan = plan.without(error)
                continue
            if hits:
                yield self._rows.fetched(hits, _ordered(oldest_first))
            if len(hits) < size:
                return
            after = _token(hits, after)

    def by_id(self, ids: Sequence[str], datasets: Sequence[str], span: Span | None) -> list[dict[str, Any]]:
        """See `Events.get`."""
        none = list[dict[str, Any]]()
        return self._planning.over("", datasets, span, lambda plan: self._with_ids(plan, ids), none)

    def _with_ids(self, plan: Plan, ids: Sequence[str]) -> list[dict[str, Any]]:
        if plan.span and self._pinpoint.fits(plan.span):
            return self._pinpoint.rows(plan.files, ids, plan.span)
        return self._rows.matching(plan, ids)

    def _late(self, plan: Plan, limit: int, after: str | None) -> list[Hit]:
        """The newest hits among the newest events; fewer than asked for where these do not fill the page."""
        if (probe := self._probe(plan, after)) is not None:
            with suppress(NoColumn):  # that only older files have
                return self._hits(probe, limit, after, False)
        return []

    def _probe(self, plan: Plan, after: str | None) -> Plan | None:
        """The plan over only the newest twentieth of the newest files (behind a page: of those that reach back behind it),
        which hold nothing older than any event of the others: where much matches, that fills a page. None: no file."""
        until = max(file.last for file in plan.files) if after is None else asked.behind(after)[0]
        held = [file for file in plan.files if file.first <= until]
        if not held:
            return None
        held.sort(key=lambda file: -min(file.last, until))
        first, newest = held[0].first, []
        for file in held:
            if min(file.last, until) < first:
                break
            first = min(first, file.first)
            newest.append(self._planning.path_of(file))
        last = min(held[0].last, until)
        late = f"{plan.where} and {TIME} >= make_timestamp_ns(?)::timestamptz_ns"
        return Plan(plan.source, late, [newest, *plan.values[1:], last - (last - first) // 20])

    def _counted_hits(
        self, plan: Plan, limit: int, after: str | None, oldest_first: bool
    ) -> tuple[int, list[Hit]]:
        """How many match, and `_hits`, in one scan: what costs is to look into the text of every event."""
        keyset, more = _keyset(after, oldest_first)
        total, *hits = self._duck.timed(
            f'with found as materialized (select {TIME}, "event.id", {PLACE} from {plan.source} where {plan.where})'
            " (select count(*), null, null, null from found) union all"
            f' (select epoch_ns({TIME}), "event.id", {PLACE} from found where true {keyset}'
            f" {_ordered(oldest_first)} limit ? offset ?)",
            [*plan.values, *more, limit, self._passed(plan, after)],
        )
        return int(total[0]), [Hit(*hit) for hit in hits]

    def _counts(self, plan: Plan) -> dict[str, int]:
        """How many match in which file, by path: reads the columns of the condition alone."""
        sql = f"select {FILE}, count(*) from {plan.source} where {plan.where} group by 1"
        return {str(name): int(number) for name, number in self._duck.rows(sql, plan.values)}

    def _newest(self, plan: Plan, counts: Mapping[str, int], limit: int) -> list[Hit]:
        """The newest hits: times and ids, which cost more than a common condition, are read of the files that fill the page."""
        needed: list[str] = []
        held = first = 0
        for file in sorted(plan.files, key=lambda one: -one.last):
            path = self._planning.path_of(file)
            if held >= limit and file.last < first:
                break
            if path in counts:
                first = min(first, file.first) if needed else file.first
                needed.append(path)
                held += counts[path]
        some = Plan(plan.source, plan.where, [needed, *plan.values[1:]])
        try:
            return self._hits(some, limit, None, False) if needed else []
        except NoColumn:  # that only files further back have
            return self._hits(plan, limit, None, False)

    def _hits(self, plan: Plan, limit: int, after: str | None, oldest_first: bool) -> list[Hit]:
        keyset, more = _keyset(after, oldest_first)
        found = self._duck.timed(
            f'select epoch_ns({TIME}), "event.id", {PLACE} from {plan.source} where {plan.where} {keyset}'
            f" {_ordered(oldest_first)} limit ? offset ?",
            [*plan.values, *more, limit, self._passed(plan, after)],
            some=not plan.files,
        )
        return [Hit(*hit) for hit in found]

    def _passed(self, plan: Plan, after: str | None) -> int:
        """How many rows are passed over from there: those of the last one's time and id that were given, as far as they are
        there yet. Their number is all that lasts: merging puts them into other files."""
        if after is None:
            return 0
        time, identity, seen = asked.behind(after)
        [(there,)] = self._duck.rows(
            f"select count(*) from {plan.source} where {plan.where}"
            f' and {TIME} = make_timestamp_ns(?)::timestamptz_ns and "event.id" = ?',
            [*plan.values, time, identity],
            some=not plan.files,
        )
        return min(seen, int(there))


def _worth_two_scans(plan: Plan) -> bool:
    """Whether much is looked through and looking is cheap: not for words in the raw lines, which are the bulk of all."""
    return sum(file.rows for file in plan.files) > _MANY_ROWS and not _reads_lines(plan.node)


def _reads_lines(node: language.Node) -> bool:
    match node:
        case language.And(parts) | language.Or(parts):
            return any(map(_reads_lines, parts))
        case language.Not(part):
            return _reads_lines(part)
    return isinstance(node, language.Text) or getattr(node, "field", "") in _LINES


def _ordered(oldest_first: bool) -> str:
    order = "asc" if oldest_first else "desc"
    return f'order by {TIME} {order}, "event.id" {order}, {FILE} {order}, {ROW} {order}'


def _token(hits: Sequence[Hit], after: str | None) -> str:
    """Behind these hits, which came behind `after`."""
    last = hits[-1]
    same = list(takewhile(lambda hit: (hit.time, hit.id) == (last.time, last.id), reversed(hits)))
    seen = len(same)
    if after is not None and seen == len(hits):
        time, identity, before = asked.behind(after)
        seen += before if (time, identity) == (last.time, last.id) else 0
    return asked.token(last.time, last.id, seen)


def _keyset(after: str | None, oldest_first: bool) -> tuple[str, list[Any]]:
    """The condition that continues at the last row of the page before, others of its time and id among them."""
    if after is None:
        return "", []
    time, identity, _ = asked.behind(after)
    sign = ">" if oldest_first else "<"
    condition = (
        f"and {TIME} {sign}= make_timestamp_ns(?)::timestamptz_ns"  # by which files' parts are passed over
        f' and (epoch_ns({TIME}) {sign} ? or (epoch_ns({TIME}) = ? and "event.id" {sign}= ?))'
    )
    return condition, [time, time, time, identity]
