"""A rule set ready to match, and what a person wants to know of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hinomi.batch import Batch
from hinomi.errors import ContentError, Where
from hinomi.words import Words
from rules.engine import explain, expression, signals
from rules.engine.compile import NOWHERE, Compiler
from rules.engine.distinct import either
from rules.engine.explanation import Explanation
from rules.engine.logsource import ANY_DATASET, Tables
from rules.engine.match import Matcher
from rules.engine.program import Compiled
from rules.engine.scans import Scans
from rules.engine.sieve import Sieve

if TYPE_CHECKING:
    from sigma.correlations import SigmaCorrelationRule

_BASELINE_FIELDS = ("entity", "field", "count", "role", "carrier")
"""Options of a baseline that name a field of the events it learns from."""
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection rule.

    id: the rule's own, or a digest where it has none; level: informational … critical (medium where it
    says none); feeds: datasets of ours that can feed it, `*` for any, empty for none; custom: keys that
    Sigma does not define (`title_ja`, `what_to_do_ja`, `hinomi`, …); unsupported: why it cannot run;
    valueless: the placeholder that nobody gave values, where that is why, else empty; version, sha256: what it is approved by
    (`rules.engine.fingerprint`), with what `action: global` gives it.
    """

    index: int
    id: str
    name: str | None
    title: str
    level: str
    status: str
    tags: tuple[str, ...]
    description: str
    falsepositives: tuple[str, ...]
    path: Path
    logsource: Mapping[str, str]
    feeds: tuple[str, ...]
    custom: Mapping[str, Any]
    unsupported: Words | None
    valueless: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a rule file that cannot be used; the rest of the file and the rule set goes on. said: in words of ours;
    theirs: those of the library that reads rules, in English, empty where only we had something to say."""

    path: Path
    line: int | None
    said: Words
    theirs: str = ""

    @property
    def reason(self) -> Words:
        """All that is known of it."""
        if not self.theirs:
            return self.said
        return Words(f"{self.said.ja.removesuffix('。')}({self.theirs})。", f"{self.said.en}: {self.theirs}")

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.reason.ja}\n({self.reason.en})"


@dataclass(frozen=True, slots=True)
class Matches:
    """What a batch matched: each rule with the row numbers (ascending) on which it holds."""

    hits: list[tuple[Rule, Rows]]

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.hits)


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation rule as pySigma has it, its file, and the document it was read from."""

    rule: "SigmaCorrelationRule"
    path: Path
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Other:
    """A document of a kind that Sigma does not define (`baseline`), for those who read such."""

    path: Path
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """An exception (Sigma filter): who decided it and why, its last day, and the rules (ids) that it applies to.

    expires: None where it has no end; ended: it applies no more.
    """

    title: str
    id: str
    version: str
    sha256: str
    path: Path
    owner: str
    reason: str
    expires: str | None
    ended: bool
    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Off:
    """A rule that is switched off, and by which entry."""

    id: str
    title: str
    path: Path
    by: str


@dataclass
class RuleSet:
    """Compiled rules. `match` holds no state, so batches may come in any order."""

    compiled: Compiled
    scans: Scans
    tables: Tables
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problems: list[Problem] = field(init=False)
    others: list[Other] = field(init=False)
    filters: list[Filter] = field(init=False)
    off: list[Off] = field(init=False)
    matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self.problems = [
            Problem(Path(item["path"]), item["line"], Words(item["ja"], item["en"]), item.get("theirs", ""))
            for item in self.compiled.problems
        ]
        self.others = [Other(Path(item["path"]), item["document"]) for item in self.compiled.others]
        self.filters = [
            Filter(**{**one, "path": Path(one["path"]), "applied": tuple(one["applied"])})
            for one in self.compiled.filters
        ]
        self.off = [Off(**{**one, "path": Path(one["path"])}) for one in self.compiled.off]
        self.matcher = Matcher(self.compiled, self.scans, self.tables)
        self._sieves: dict[str, Sieve] = {}

    @cached_property
    def rules(self) -> list[Rule]:
        """Every rule, in order of its index."""
        return list(map(self._at, range(self.size)))

    @property
    def size(self) -> int:
        """How many rules there are."""
        return len(self.compiled.rules)

    @cached_property
    def correlations(self) -> list[Correlation]:
        """Every correlation rule: made when first asked for, since pySigma takes long to import."""
        return [_correlation(**item) for item in self.compiled.correlations]

    @property
    def unsupported(self) -> list[Rule]:
        """Rules that are loaded and cannot run, each with its reason."""
        return list(map(self._at, self.compiled.unsupported))

    def _at(self, index: int) -> Rule:
        """The rule of an index: what a hunt does not name is not read."""
        found = self._rules.get(index)
        if found is None:
            found = self._rules[index] = _rule(index, self.compiled.rules[index])
        return found

    @property
    def rebuilt(self) -> Mapping[tuple[str, str], int]:
        """Files of the cache that could not be believed and were made again: how many, by (kind, reason)."""
        return self.scans.store.distrusted

    def rule(self, reference: str) -> Rule | None:
        """The rule of an id or name, as correlations refer to it."""
        return self._by_reference.get(reference)

    def columns(self, rule: Rule, name: str, dataset: str) -> tuple[str, ...]:
        """The columns of a dataset that a Sigma field means to a rule: one for each of its routes there."""
        routes = [
            route for route in self.tables.routes(rule.logsource) if route.dataset in (dataset, ANY_DATASET)
        ]
        return tuple(dict.fromkeys(route.column(name) for route in routes)) or (name,)

    def said(self, rule: Rule) -> expression.Expression:
        """What a rule says."""
        return expression.of_text(self.compiled.rules[rule.index]["said"])

    def match(self, batch: Batch) -> Matches:
        """Which rules hold on which rows of a batch."""
        found = self.matcher.match(batch)
        return Matches([(self._at(index), rows) for index, rows in sorted(found.items())])

    def complete(self, batch: Batch, known: pl.Series) -> Sequence[tuple[Rule, Rows]]:
        """The matches of a batch of which a sieve knows, for some rows, the numbers of all rules that hold."""
        told = pl.DataFrame({"rule": known}).with_row_index("row").explode("rule").drop_nulls()
        found = {
            int(rule): part["row"].to_numpy().astype(np.int64)
            for (rule,), part in told.partition_by("rule", as_dict=True).items()
        }
        rest = np.flatnonzero(known.is_null().to_numpy())
        if len(rest):
            part = batch if len(rest) == len(batch) else Batch(batch.dataset, batch.frame[rest], batch.origin)
            for rule, rows in self.matcher.match(part).items():
                found[rule] = either(found.get(rule, rest[:0]), rest[rows])
        return [(self._at(index), rows) for index, rows in sorted(found.items())]

    def sieve(self, dataset: str) -> Sieve:
        """What tells, before the events of a dataset are read whole, which of them may match."""
        found = self._sieves.get(dataset)
        if found is None:
            found = self._sieves[dataset] = Sieve(self.matcher, dataset, self.scans.store)
        return found

    def signals(self, batch: Batch, matches: Matches) -> pl.DataFrame:
        """One `hinomi.signal` row for each rule and event that matched."""
        hits = [
            signals.Hit(
                rule_id=rule.id,
                title=rule.title,
                level=rule.level,
                role="base" if rule.id in self._base else "detection",
                rows=rows,
                extra={
                    name: self.columns(rule, name, batch.dataset) for name in self._named.get(rule.id, ())
                },
            )
            for rule, rows in matches.hits
        ]
        return signals.frame(batch, hits)

    def explain(self, reference: str, event: Batch | Mapping[str, Any]) -> Explanation:
        """Why a rule (by id or name) holds of one event, or does not.

        event: a batch of one row, or an ECS document, nested or with dotted names; without `event.dataset`
        it is taken to be of the rule's own dataset. Raises ContentError for a rule that is not there or cannot run.
        """
        rule = self._runnable(reference)
        batch = event if isinstance(event, Batch) else explain.batch_of(event)
        explainer = explain.Explainer(batch, Compiler(self.tables, self.placeholders))
        return explainer.explain(
            rule.id, rule.title, self.said(rule), self.tables.routes(rule.logsource) or [NOWHERE]
        )

    def _runnable(self, reference: str) -> Rule:
        rule = self.rule(reference)
        if rule is None:
            raise ContentError(
                f"検知ルール「{reference}」はありません。", f'there is no detection rule "{reference}"'
            )
        if rule.unsupported is not None:
            raise ContentError(rule.unsupported.ja, rule.unsupported.en, where=Where(rule.path))
        return rule

    @cached_property
    def _by_reference(self) -> dict[str, Rule]:
        found = {rule.name: rule for rule in self.rules if rule.name}
        return found | {rule.id: rule for rule in self.rules}

    @cached_property
    def _base(self) -> frozenset[str]:
        """Rules that only feed correlations: each that names them says `generate: false`."""
        generating: dict[str, list[bool]] = {}
        for correlation in self.correlations:
            for rule in self._referenced(correlation):
                generating.setdefault(rule.id, []).append(bool(correlation.rule.generate))
        return frozenset(identity for identity, each in generating.items() if not any(each))

    @cached_property
    def fed(self) -> frozenset[str]:
        """Ids of the rules whose signals correlations and baselines take."""
        counted = {rule.id for one in self.correlations for rule in self._referenced(one)}
        return frozenset(counted | {rule.id for one in self.others for rule, _ in self._of_baseline(one)})

    @cached_property
    def counted_only(self) -> frozenset[str]:
        """Those of them that say nothing by themselves: Sigma makes no result of its own of a rule that is only referred to
        (`generate: false`), nor is one of an informational rule for people."""
        return frozenset(
            rule.id
            for identity in self.fed
            if (rule := self._by_reference[identity]).id in self._base or rule.level == "informational"
        )

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        """By rule: the fields that correlations and baselines group, alias or count by, beyond those in every signal."""
        named: dict[str, set[str]] = {}
        for correlation in self.correlations:
            for rule in self._referenced(correlation):
                wanted = _fields_of(correlation.rule, {rule.id, rule.name or ""})
                named.setdefault(rule.id, set()).update(wanted - set(signals.ENTITIES))
        for other in self.others:
            for rule, wanted in self._of_baseline(other):
                named.setdefault(rule.id, set()).update(wanted - set(signals.ENTITIES))
        return named

    def _of_baseline(self, other: Other) -> Iterable[tuple[Rule, set[str]]]:
        """Rules that a baseline takes, and the fields that its options name."""
        body = other.document.get("baseline")
        if not isinstance(body, Mapping):
            return
        options = [body.get(name) for name in _BASELINE_FIELDS]
        wanted = {str(name) for name in options if isinstance(name, str) and name}
        for name in body.get("rules") or []:
            if (rule := self.rule(str(name))) is not None:
                yield rule, wanted

    def _referenced(self, correlation: Correlation) -> Iterable[Rule]:
        for reference in correlation.rule.rules or []:
            if (rule := self.rule(reference.reference)) is not None:
                yield rule


def _correlation(path: str, rule: Mapping[str, Any]) -> Correlation:
    from rules.engine import correlations  # pySigma takes long to import

    return Correlation(correlations.read(rule), Path(path), rule)


def _fields_of(correlation: "SigmaCorrelationRule", names: set[str]) -> set[str]:
    wanted = set(correlation.group_by or [])
    for alias in correlation.aliases or []:
        wanted.discard(alias.alias)
        wanted |= {name for reference, name in alias.mapping.items() if reference.reference in names}
    counted = getattr(correlation.condition, "fieldref", None) or []
    return wanted | ({counted} if isinstance(counted, str) else set(counted))


def _rule(index: int, about: Mapping[str, Any]) -> Rule:
    reason = about.get("unsupported", {})
    return Rule(
        index=index,
        id=about["id"],
        name=about["name"],
        title=about["title"],
        level=about["level"],
        status=about["status"],
        tags=tuple(about["tags"]),
        description=about["description"],
        falsepositives=tuple(about["falsepositives"]),
        path=Path(about["path"]),
        logsource=about["logsource"],
        feeds=tuple(about["feeds"]),
        custom=about["custom"],
        unsupported=Words(reason["ja"], reason["en"]) if reason else None,
        valueless=reason.get("placeholder", ""),
        version=about["version"],
        sha256=about["sha256"],
    )
