"""Pages of found events over Parquet files: which files can hold them, which rows come next, and those rows whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

from hinomi import query as language
from hinomi.store import asked
from hinomi.store.embedded.duck import Duck, NoColumn
from hinomi.store.embedded.manifest import File, Manifest
from hinomi.store.embedded.sql import Condition
from hinomi.store.protocols import Page, Span

TIME = '"@timestamp"'
_MANY_ROWS = 1_000_000
_LINES = ("event.original", "message")
_Hits = list[tuple[Any, ...]]
"""Time, id and file of events."""


_T = TypeVar("_T")
_EVERYTHING = language.Everything()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read, and on what condition: SQL, with the values of both, the files' paths first among them; and what it was
    made of (no files: only some of those that hold what is asked). kinds: the columns that the files may have."""

    source: str
    where: str
    values: list[Any]
    files: Sequence[File] = ()
    node: language.Node = _EVERYTHING
    kinds: dict[str, str] = field(default_factory=dict)
    span: Span | None = None

    def without(self, error: NoColumn) -> "Plan":
        """Of the same question over the same files, none of which has this column. Raises the error where that is not why."""
        if error.name not in self.kinds:
            raise error
        kinds = {name: kind for name, kind in self.kinds.items() if name != error.name}
        return _planned(self.values[0], self.files, self.node, kinds, self.span)


class Searching:
    """Questions by the search language over the files that the manifest names."""

    def __init__(self, folder: Path, manifest: Manifest, duck: Duck) -> None:
        self._folder = folder
        self._manifest = manifest
        self._duck = duck

    def plan(self, text: str, datasets: Sequence[str], span: Span | None) -> Plan | None:
        """Over the files that can hold what is asked; None: no file can."""
        node = language.parse(text)
        files = self._manifest.files(datasets, span)
        if not files:
            return None
        paths = [str(self._folder / file.path) for file in files]
        return _planned(paths, files, node, self._manifest.kinds(datasets), span)

    def over(
        self, text: str, datasets: Sequence[str], span: Span | None, ask: Callable[[Plan], _T], none: _T
    ) -> _T:
        """What is asked of the plan. A field that is known, but that no file of the span has, is as one that nobody knows:
        DuckDB, which reads what columns each file has, says so, and is asked again without it."""
        plan = self.plan(text, datasets, span)
        while plan is not None:
            try:
                return ask(plan)
            except NoColumn as error:
                plan = plan.without(error)
        return none

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
        return self.over(
            query, datasets, span, lambda plan: self._page(plan, limit, after, oldest_first), Page([], 0)
        )

    def _page(self, plan: Plan, limit: int, after: str | None, oldest_first: bool) -> Page:
        hits: _Hits = []
        if not oldest_first and (probe := self._probe(plan, after)) is not None:
            with suppress(NoColumn):  # that only older files have
                hits = self._hits(probe, limit, after, False)
        if len(hits) == limit and limit:
            total = self.counted(plan)
        elif isinstance(plan.node, language.Everything):
            total, hits = self.counted(plan), self._hits(plan, limit, after, oldest_first)
        elif after is None and not oldest_first and _worth_two_scans(plan):
            total, hits = self._counted_by_file(plan, limit)
        else:
            total, hits = self._counted_hits(plan, limit, after, oldest_first)
        rows = self._fetch(hits, oldest_first)
        return Page(rows, total, _token(hits) if hits and len(hits) == limit else None)

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
                yield self._fetch(hits, oldest_first)
            if len(hits) < size:
                return
            after = _token(hits)

    def counted(self, plan: Plan) -> int:
        """How many match."""
        sql = f"select count(*) from {plan.source} where {plan.where}"
        return int(self._duck.rows(sql, plan.values)[0][0])

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
            newest.append(str(self._folder / file.path))
        last = min(held[0].last, until)
        late = f"{plan.where} and {TIME} >= make_timestamp_ns(?)::timestamptz_ns"
        return Plan(plan.source, late, [newest, *plan.values[1:], last - (last - first) // 20])

    def _counted_hits(
        self, plan: Plan, limit: int, after: str | None, oldest_first: bool
    ) -> tuple[int, _Hits]:
        """How many match, and `_hits`, in one scan: what costs is to look into the text of every event."""
        keyset, more = _keyset(after, oldest_first)
        total, *hits = self._duck.timed(
            f'with found as materialized (select {TIME}, "event.id", filename from {plan.source} where {plan.where})'
            " (select count(*), null, null from found) union all"
            f' (select epoch_ns({TIME}), "event.id", filename from found where true {keyset}'
            f" {_ordered(oldest_first)} limit ?)",
            [*plan.values, *more, limit],
        )
        return int(total[0]), hits

    def _counted_by_file(self, plan: Plan, limit: int) -> tuple[int, _Hits]:
        """`_counted_hits` of the newest, in two scans: how many match in which file, which reads the columns of the
        condition alone; then times and ids, which cost more than a common condition, of the files that fill the page."""
        sql = f"select filename, count(*) from {plan.source} where {plan.where} group by 1"
        counts = {str(name): int(number) for name, number in self._duck.rows(sql, plan.values)}
        needed: list[str] = []
        held = first = 0
        for file in sorted(plan.files, key=lambda one: -one.last):
            path = str(self._folder / file.path)
            if held >= limit and file.last < first:
                break
            if path in counts:
                first = min(first, file.first) if needed else file.first
                needed.append(path)
                held += counts[path]
        some = Plan(plan.source, plan.where, [needed, *plan.values[1:]])
        total = sum(counts.values())
        try:
            return total, self._hits(some, limit, None, False) if needed else []
        except NoColumn:  # that only files further back have
            return total, self._hits(plan, limit, None, False)

    def _hits(self, plan: Plan, limit: int, after: str | None, oldest_first: bool) -> _Hits:
        keyset, more = _keyset(after, oldest_first)
        return self._duck.timed(
            f'select epoch_ns({TIME}), "event.id", filename from {plan.source} where {plan.where} {keyset}'
            f" {_ordered(oldest_first)} limit ?",
            [*plan.values, *more, limit],
            some=not plan.files,
        )

    def _fetch(self, hits: _Hits, oldest_first: bool) -> list[dict[str, Any]]:
        if not hits:
            return []
        files = sorted({hit[2] for hit in hits})
        ids = [hit[1] for hit in hits]
        times = [hit[0] for hit in hits]
        return self.flat(
            "select * exclude (filename) from read_parquet(?, union_by_name=true, filename=true)"
            f" where {TIME} between make_timestamp_ns(?)::timestamptz_ns and make_timestamp_ns(?)::timestamptz_ns"
            f' and "event.id" in (select unnest(?)) {_ordered(oldest_first)}',
            [files, min(times), max(times), ids],
        )

    def flat(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Rows as dicts, without what is null."""
        frame = self._duck.frame(sql, values)
        return [
            {name: value for name, value in row.items() if value is not None}
            for row in frame.iter_rows(named=True)
        ]


def _planned(
    paths: list[str], files: Sequence[File], node: language.Node, kinds: dict[str, str], span: Span | None
) -> Plan:
    condition = Condition(kinds)
    parts = [condition.sql(node)]
    for sign, bound in ((">=", span.start), ("<", span.end)) if span else ():
        if bound is not None:
            parts.append(f"{TIME} {sign} cast(? as timestamptz_ns)")
            condition.values.append(bound.astimezone(UTC).isoformat())
    source = "read_parquet(?, union_by_name=true, filename=true)"
    return Plan(source, " and ".join(parts), [paths, *condition.values], files, node, kinds, span)


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
    return f'order by {TIME} {order}, "event.id" {order}'


def _token(hits: _Hits) -> str:
    time, identity, _ = hits[-1]
    return asked.token(time, identity)


def _keyset(after: str | None, oldest_first: bool) -> tuple[str, list[Any]]:
    """The condition that continues behind the last row of the page before."""
    if after is None:
        return "", []
    time, identity = asked.behind(after)
    sign = ">" if oldest_first else "<"
    condition = (
        f"and {TIME} {sign}= make_timestamp_ns(?)::timestamptz_ns"  # by which files' parts are passed over
        f' and (epoch_ns({TIME}) {sign} ? or (epoch_ns({TIME}) = ? and "event.id" {sign} ?))'
    )
    return condition, [time, time, time, identity]
