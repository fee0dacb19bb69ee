"""A page of a search and what is counted of all that match, from one scan of the files where that is the quicker way."""

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi import query as language
from hinomi.store import asked
from hinomi.store.embedded.counting import bars
from hinomi.store.embedded.duck import Duck
from hinomi.store.embedded.plan import FILE, Plan, Planning
from hinomi.store.embedded.searching import Searching
from hinomi.store.embedded.sql import each, quoted
from hinomi.store.protocols import Bucket, Counted, Page, Span, Survey


@dataclass(frozen=True, slots=True)
class _Found:
    """What one scan found: how many match by file, by bar, how many have the field, and its values."""

    files: dict[str, int]
    bars: dict[int, int]
    present: int
    top: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Surveying:
    """Questions of a search page. How many match in which file then says which files hold the page."""

    planning: Planning
    duck: Duck
    searching: Searching

    def survey(
        self,
        query: str,
        datasets: Sequence[str],
        span: Span,
        counted: Counted,
        limit: int,
        after: str | None,
    ) -> Survey | None:
        """See `Events.survey`. None: one scan is not the quicker way (of everything, files tell their number unread) or does
        not answer it (an event of several values counts under each)."""
        starts = asked.bars(span, counted.interval)
        nothing: Survey | None = Survey(Page([], 0), [Bucket(start, 0) for start in starts], 0, [])

        def ask(plan: Plan) -> Survey | None:
            if isinstance(plan.node, language.Everything) or _apart(plan, counted.field):
                return None
            found = self._found(plan, span, counted)
            page = self.searching.counted(plan, found.files, limit, after)
            buckets = [Bucket(start, found.bars.get(n, 0)) for n, start in enumerate(starts)]
            return Survey(page, buckets, found.present, found.top)

        return self.planning.over(query, datasets, span, ask, nothing)

    def _found(self, plan: Plan, span: Span, counted: Counted) -> _Found:
        bar, values = bars(span, counted.interval)
        column = quoted(counted.field) if counted.field in plan.kinds else "null"
        told = [self.planning.path_of(file) for file in plan.files if file.dataset in counted.values_in]
        marked = "value" if len(told) == len(plan.files) else _OF_FILES if told else "null"
        rows = self.duck.timed(
            f"with matching(file, bar, value) as (select {FILE}, {bar}, {column} from {plan.source} where {plan.where}),"
            f" told as (select *, {marked} as told from matching),"
            " found as materialized (select file, bar, told, grouping(file) as apart, count(*) as n, count(value) as has"
            " from told group by grouping sets ((file, bar), (told)))"
            " (select bar, file, null, n, has from found where apart = 0) union all"
            " (select 0, null, cast(told as varchar), n, has from found where apart = 1 and told is not null"
            " order by n desc, told limit ?)",
            [*values, *plan.values, *([told] if marked is _OF_FILES else []), counted.most],
        )
        found = _Found({}, {}, sum(int(row[4]) for row in rows if row[1] is not None), [])
        for number, path, value, n, _ in rows:
            if path is None:
                found.top.append((str(value), int(n)))
                continue
            found.files[str(path)] = found.files.get(str(path), 0) + int(n)
            found.bars[int(number)] = found.bars.get(int(number), 0) + int(n)
        return found


_OF_FILES = "case when file in (select unnest(?)) then value end"


def _apart(plan: Plan, field: str) -> bool:
    """Whether its values are not what is counted: an event has several, or times are counted by the millisecond."""
    kind = plan.kinds.get(field)
    return kind is not None and (kind == "date" or each(quoted(field), field, kind) is not None)
