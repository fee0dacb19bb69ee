"""Why a rule holds of an event or does not: its condition as a tree, each test with what it saw.

Every test is decided by the engine's own predicates and scans over a frame of the one event, so that an
explanation says what `RuleSet.match` says; only where in a value it matched is found here besides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from collectors.framed import MOST_VENDOR_COLUMNS, frame_of
from hinomi import ecs
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from rules.engine import hyperscan_db, pattern
from rules.engine.cache import Cache
from rules.engine.columns import Columns, Part
from rules.engine.compile import Compiler
from rules.engine.explanation import Explanation, Node, Seen
from rules.engine.expression import ANY, REFERENCES, And, Expression, Not, Or, Search, Test
from rules.engine.fold import fold_all, origins
from rules.engine.logsource import ANY_DATASET
from rules.engine.predicates import ON_ROWS, rows_matching, values_matching
from rules.engine.program import Atom, Compiled
from rules.engine.routes import Route
from rules.engine.scans import Scans
from rules.engine.written import written

Spans = list[tuple[int, int]]

MOST = 100
"""Spans given of one value: more than a person looks at."""

_AROUND: dict[str, tuple[bool, bool]] = {
    "same": (False, False),
    "starts": (False, True),
    "ends": (True, False),
    "holds": (True, True),
}


def batch_of(event: Mapping[str, Any], dataset: str | None = None) -> Batch:
    """A batch of one event, given nested or with dotted names. dataset: else the event's `event.dataset`."""
    return batches_of([event], dataset)[0]


def batches_of(events: Sequence[Mapping[str, Any]], dataset: str | None = None) -> list[Batch]:
    """A batch of one event for each, as `batch_of` makes it. Events of a dataset are typed together, as every frame costs some
    milliseconds, however small it is."""
    rows = [{"event.id": "explained", **dict(_flat(event))} for event in events]
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(dataset or str(row.get("event.dataset") or ""), []).append(place)
    made: dict[int, Batch] = {}
    for known, among in places.items():
        for run in _narrow(rows, among):
            whole = Batch.of(known, frame_of(rows[place] for place in run), ingested=datetime.now(UTC))
            made |= {place: Batch(known, whole.frame[at : at + 1]) for at, place in enumerate(run)}
    return [made[place] for place in range(len(rows))]


def _narrow(rows: Sequence[Mapping[str, Any]], places: Sequence[int]) -> Iterable[Sequence[int]]:
    """The places as one run where a frame has room for all that their rows name; else each alone, as it loses nothing then."""
    names = set[str]().union(*(rows[place] for place in places))
    return [places] if len(names) <= MOST_VENDOR_COLUMNS else [[place] for place in places]


def _flat(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, _clean(value)) for name, value in ecs.flatten(event))


def _clean(value: Any) -> Any:
    """Half of a surrogate pair is no text that a column can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [_clean(item) for item in value] if isinstance(value, list) else value


class Explainer:
    """One event (a batch of one row) and what a rule says of it."""

    def __init__(self, batch: Batch, compiler: Compiler) -> None:
        self.dataset = batch.dataset
        self.columns = Columns(batch.frame, compiler.tables.keywords(batch.dataset))
        self.compiler = compiler

    def explain(self, rule_id: str, title: str, said: Expression, routes: list[Route]) -> Explanation:
        """Over every route of the rule: the one that holds, else the first that the event belongs to."""
        tried = [self._on(rule_id, title, said, route) for route in routes]
        return max(tried, key=lambda one: (one.matched, one.routed, one.condition.matched))

    def _on(self, rule_id: str, title: str, said: Expression, route: Route) -> Explanation:
        source = tuple(self._place(column, values) for column, values in route.where)
        routed = self._of_dataset(route.dataset) and all(node.matched for node in source)
        condition = self._node(said, route)
        return Explanation(rule_id, title, routed and condition.matched, routed, source, condition)

    def _of_dataset(self, wanted: str) -> bool:
        if wanted == ANY_DATASET:
            return self.dataset not in (SIGNALS, DEAD_LETTERS)
        return self.dataset in ("", wanted)

    def _place(self, column: str, values: tuple[str, ...]) -> Node:
        seen = tuple(
            Seen(column, text, folded in values)
            for part in self.columns.parts(column)
            for text, folded in zip(part.texts, part.folded_texts, strict=True)
        )
        matched = any(one.matched for one in seen)
        return Node("is", matched, field=column, columns=(column,), wanted=", ".join(values), seen=seen)

    def _node(self, said: Expression, route: Route) -> Node:
        match said:
            case And(args):
                parts = tuple(self._node(arg, route) for arg in args)
                return Node("and", all(part.matched for part in parts), parts=parts)
            case Or(args):
                parts = tuple(self._node(arg, route) for arg in args)
                return Node("or", any(part.matched for part in parts), parts=parts)
            case Not(arg):
                inner = self._node(arg, route)
                return Node("not", not inner.matched, parts=(inner,))
            case Search(name, arg):
                inner = self._node(arg, route)
                return Node("search", inner.matched, name=name, parts=(inner,))
            case Test():
                return self._test(said, route)

    def _test(self, test: Test, route: Route) -> Node:
        atoms = list(self.compiler.atoms(test, route))
        columns = [atom.column for atom in atoms if atom.column]
        if test.operator in REFERENCES:
            columns += [atom.operand for atom in atoms]
        return Node(
            kind=test.operator,
            matched=any(self._holds(atom) for atom in atoms),
            field=test.field or "",
            columns=tuple(dict.fromkeys(columns)),
            wanted=written(test),
            seen=tuple(_joined(seen for atom in atoms for seen in self._seen(atom))),
        )

    def _holds(self, atom: Atom) -> bool:
        if atom.operator in ON_ROWS:
            return bool(rows_matching(self.columns, atom.column, atom.operator, atom.operand)[0])
        return any(_codes(atom, part) for part in self.columns.parts(atom.column))

    def _seen(self, atom: Atom) -> Iterator[Seen]:
        for column, part in self.columns.named(atom.column):
            if atom.operator in REFERENCES:
                yield from self._referring(atom, column, part)
            elif atom.operator in ON_ROWS:
                yield from (Seen(column, text, atom.operand is True) for text in part.texts)
            else:
                held = _codes(atom, part)
                for code, text in enumerate(part.texts):
                    yield Seen(column, text, code in held, _spans(atom, text) if code in held else ())

    def _referring(self, atom: Atom, column: str, part: Part) -> Iterator[Seen]:
        """Each value against the other field's values, as if these were patterns."""
        relation, _, cased = atom.operator.partition("_")
        before, after = _AROUND[relation]
        parts = self.columns.parts(atom.operand)
        others = [text for other in parts for text in (other.texts if cased else other.folded_texts)]
        patterns = [pattern.normal([ANY] * before + [other] + [ANY] * after) for other in others]
        find = _cased_spans if cased else _folded_spans
        for text, own in zip(part.texts, part.texts if cased else part.folded_texts, strict=True):
            fits = [wanted for wanted in patterns if pattern.matches(wanted, own)]
            spans = {span for wanted in fits for span in find(wanted, text)}
            yield Seen(column, text, bool(fits), tuple(sorted(spans)))


def _codes(atom: Atom, part: Part) -> frozenset[int]:
    """The codes of the values that an atom holds of."""
    if atom.operator == "re":
        alone = Scans(Compiled(atoms=[atom], whole=1), Cache(None)).find((atom.column, "regex"), part)
        return frozenset(alone[0].tolist() if 0 in alone else ())
    marks = values_matching(part, atom.operator, atom.operand)[:-1]
    return frozenset(marks.nonzero()[0].tolist())


def _spans(atom: Atom, text: str) -> tuple[tuple[int, int], ...]:
    match atom.operator:
        case "is":
            return tuple(_folded_spans(atom.operand, text))
        case "is_cased":
            return tuple(_cased_spans(atom.operand, text))
        case "re":
            expression, flags = atom.operand
            return tuple(hyperscan_db.regex_spans(expression, flags, text, MOST))
    return ()


def _cased_spans(wanted: pattern.Pattern, text: str) -> Spans:
    return pattern.spans(wanted, text, MOST)


def _folded_spans(wanted: pattern.Pattern, text: str) -> Spans:
    """In the text's own letters, where folding made more of them."""
    came_from = origins(text)
    return [
        (came_from[start], came_from[end - 1] + 1)
        for start, end in pattern.spans(wanted, fold_all([text])[0], MOST)
    ]


def _joined(seen: Iterator[Seen]) -> Iterator[Seen]:
    """Each value once, with what every form of the operand found in it."""
    found: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        found.setdefault((one.column, one.value), []).append(one)
    for (column, value), each in found.items():
        spans = sorted({span for one in each for span in one.spans})
        yield Seen(column, value, any(one.matched for one in each), tuple(spans))
