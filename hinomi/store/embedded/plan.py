"""What a question by the search language reads: which files can hold what is asked, on what condition, and the question begun
again where these files turn out to lack a column or to be replaced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hinomi import batch
from hinomi import query as language
from hinomi.store import asked, values
from hinomi.store.embedded.duck import NoColumn
from hinomi.store.embedded.integrity import Replaced
from hinomi.store.embedded.manifest import File, Manifest
from hinomi.store.embedded.sql import Condition
from hinomi.store.protocols import Span

TIME = '"@timestamp"'
FILE, ROW = batch.PLACE
PLACE = f"{FILE}, {ROW}"
SOURCE = f"(select * from read_parquet(?, union_by_name=true, filename='{FILE}', {ROW}=true))"
"""The events of files, each with its place. Selected once more: DuckDB has columns that no `*` tells (`file_index`), which would
answer for a sender's of that name where no file has it."""
_TIMES = 3
"""How often a question is begun: of files that are merged again and again while it reads, the next error is told."""
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


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans over the files that the manifest names at the moment."""

    folder: Path
    manifest: Manifest

    def plan(self, text: str, datasets: Sequence[str], span: Span | None) -> Plan | None:
        """Over the files that can hold what is asked; None: no file can."""
        node = asked.parsed(text)
        files = self.manifest.files(datasets, span)
        if not files:
            return None
        paths = list(map(self.path_of, files))
        return _planned(paths, files, node, self.manifest.kinds(datasets), span)

    def path_of(self, file: File) -> str:
        """Where a file is, as DuckDB names it in answers too."""
        return str(self.folder / file.path)

    def over(
        self, text: str, datasets: Sequence[str], span: Span | None, ask: Callable[[Plan], _T], none: _T
    ) -> _T:
        """What is asked of the plan. Where files of it were merged or dropped and swept before all were read, the question
        begins again over those that there are now: an answer is of one moment, never of parts of two. Raises Replaced where
        that happens each time."""
        for _ in range(_TIMES - 1):
            try:
                return _asked(self.plan(text, datasets, span), ask, none)
            except Replaced:
                continue
        return _asked(self.plan(text, datasets, span), ask, none)


def _asked(plan: Plan | None, ask: Callable[[Plan], _T], none: _T) -> _T:
    """A field that is known, but that no file of the span has, is as one that nobody knows: DuckDB, which reads what columns
    each file has, says so, and is asked again without it."""
    while plan is not None:
        try:
            return ask(plan)
        except NoColumn as error:
            plan = plan.without(error)
    return none


def _planned(
    paths: list[str], files: Sequence[File], node: language.Node, kinds: dict[str, str], span: Span | None
) -> Plan:
    condition = Condition(kinds)
    parts = [condition.sql(node)]
    for sign, bound in ((">=", span.start), ("<", span.end)) if span else ():
        if bound is not None:
            parts.append(f"{TIME} {sign} cast(? as timestamptz_ns)")
            condition.values.append(values.within(bound).isoformat())
    return Plan(SOURCE, " and ".join(parts), [paths, *condition.values], files, node, kinds, span)
