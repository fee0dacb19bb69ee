"""Rules and log-source tables to one compiled rule set."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import orjson

from hinomi import batch, clock
from hinomi.errors import ContentError
from rules.choice import EVERYTHING, Choice
from rules.engine import addresses, expression, pattern, regex_cost
from rules.engine.anchors import Anchors
from rules.engine.columns import KEYWORDS
from rules.engine.expression import REFERENCES, And, Expression, Not, Or, Search, Test
from rules.engine.filters import Narrowing, filtered, idle
from rules.engine.fold import fold_all
from rules.engine.known import Known
from rules.engine.logsource import Tables
from rules.engine.parsed import File
from rules.engine.program import Atom, Compiled, Place, Program, Unit
from rules.engine.routes import Route

Placeholders = Mapping[str, Sequence[str]]


class Compiler:
    """Collects atoms, places and units, rule by rule; known: what an earlier rule set made of rules."""

    def __init__(self, tables: Tables, placeholders: Placeholders, known: Known | None = None) -> None:
        self.tables = tables
        self.texts = {name: [[str(value)] for value in values] for name, values in placeholders.items()}
        self.patterns = {name: _patterns(values) for name, values in placeholders.items()}
        self.known = known
        self.made = Compiled() if known is None else known.start()
        self.anchors = Anchors(self.made.atoms)
        self._places = {place: number for number, place in enumerate(self.made.places)}

    def add(self, rule: dict[str, Any], said: str) -> None:
        """One more rule, in every place that its log source means. said: what it says, as `expression.text`."""
        index = len(self.made.rules)
        if self.known is not None and (piece := self.known.piece(rule["logsource"], said)) is not None:
            self._append({**rule, **piece.about})
            self.made.units.extend(Unit(index, *unit) for unit in piece.units)
            return
        routes = self.tables.routes(rule["logsource"])
        about = {**rule, "feeds": sorted({route.dataset for route in routes}), "said": said}
        self._compile(index, about, routes, expression.of_text(said))
        self._append(about)

    def _append(self, about: dict[str, Any]) -> None:
        if "unsupported" in about:
            self.made.unsupported.append(len(self.made.rules))
        self.made.rules.append(about)

    def _compile(self, index: int, about: dict[str, Any], routes: Sequence[Route], said: Expression) -> None:
        try:
            programs = [self._program(said, route) for route in routes or [NOWHERE]]
        except pattern.Unresolved as error:
            about["unsupported"] = _valueless(str(error.args[0]))
            return
        except ContentError as error:
            about["unsupported"] = {"ja": error.ja, "en": error.en}
            return
        for route, program in zip(routes, programs, strict=False):
            anchors = self.anchors.of(program)
            self.made.units.append(
                Unit(index, self._place(route), program, None if anchors is None else sorted(anchors))
            )

    def _place(self, route: Route) -> int:
        place = Place(route.dataset, route.where)
        found = self._places.setdefault(place, len(self.made.places))
        if found == len(self.made.places):
            self.made.places.append(place)
        return found

    def _program(self, said: Expression, route: Route) -> Program:
        match said:
            case And(args):
                return _joined("and", [self._program(arg, route) for arg in args])
            case Or(args):
                return _joined("or", [self._program(arg, route) for arg in args])
            case Not(arg):
                return ["not", self._program(arg, route)]
            case Search(_, arg):
                return self._program(arg, route)
            case Test():
                return _joined("or", [self._leaf(atom) for atom in self.atoms(said, route)])

    def _leaf(self, atom: Atom) -> Program:
        number = self._atom(atom)
        return ["test", number] if atom.space is None else ["any", atom.column, [number]]

    def _atom(self, atom: Atom) -> int:
        found = self._atoms.setdefault(_named(atom), len(self.made.atoms))
        if found == len(self.made.atoms):
            self.made.atoms.append(atom)
        return found

    @cached_property
    def _atoms(self) -> dict[bytes, int]:
        """The numbers of the atoms that are there; a rule set in which nothing changed never asks."""
        return {_named(atom): number for number, atom in enumerate(self.made.atoms)}

    def atoms(self, test: Test, route: Route) -> Iterator[Atom]:
        """What a test becomes on a route: any of these must hold. Raises Unresolved, ContentError."""
        column = KEYWORDS if test.field is None else route.column(test.field)
        match test.operator:
            case "is" | "is_cased":
                yield from self._patterns(column, test, route)
            case "re":
                parts, flags = test.operand
                for resolved in pattern.resolve(parts, self.texts):
                    text = "".join(resolved)
                    regex_cost.check(text, flags)
                    yield Atom(column, "re", [text, flags], "regex")
            case "cidr" if isinstance(test.operand, list):
                for resolved in pattern.resolve(test.operand, self.texts):
                    yield Atom(column, "cidr", _network("".join(resolved)), None)
            case operator if operator in REFERENCES:
                yield Atom(column, operator, route.column(test.operand), None)
            case operator:
                yield Atom(column, operator, test.operand, None)

    def _patterns(self, column: str, test: Test, route: Route) -> Iterator[Atom]:
        for resolved in pattern.resolve(test.operand, self.patterns):
            wanted = pattern.normal(resolved)
            if test.field is not None and test.field in route.values:
                wanted = _ours(wanted, test.field, route)
            if column == KEYWORDS:
                wanted = pattern.anywhere(wanted)
            if test.operator == "is":
                wanted = _folded(wanted)
            space = "folded" if test.operator == "is" else "exact"
            yield Atom(column, test.operator, wanted, space if pattern.scannable(wanted) else None)
            if (address := addresses.ipv6(wanted)) is not None and addresses.holds_addresses(column):
                yield Atom(column, "cidr", f"{address}/128", None)


def _patterns(values: Sequence[str]) -> list[Any]:
    """Placeholder values as Sigma reads them: with wildcards and escapes."""
    from sigma.types import SigmaString  # only here: a start from the cache needs no pySigma

    from rules.engine.translate import pattern_of

    return [pattern_of(SigmaString(str(value)).s) for value in values]


def compile_files(
    files: Iterable[tuple[str, File]],
    tables: Tables,
    placeholders: Placeholders,
    choice: Choice = EVERYTHING,
    today: date | None = None,
    known: Known | None = None,
) -> Compiled:
    """The rule set of (path, what it holds). Of rules that run with one id the first counts; the rest are problems.

    known: what an earlier rule set made with the same tables and placeholders.
    """
    compiler = Compiler(tables, placeholders, known)
    made, now = compiler.made, today or clock.today()
    files = list(files)
    filters = [Narrowing(path, item, now) for path, file in files for item in file.filters]
    taking = _Taking(made, choice, now)
    for path, file in files:
        made.problems.extend({**problem, "path": path} for problem in file.problems)
        for kind, name in ((file.correlations, "rule"), (file.others, "document")):
            into = made.correlations if name == "rule" else made.others
            into.extend({"path": path, name: one} for one in kind if taking.takes(one, path, name))
        for rule in file.rules:
            if taking.takes(rule, path, "detection"):
                compiler.add({**rule, "path": path}, filtered(rule, filters))
    made.filters = [one.as_json() for one in filters]
    made.problems.extend(idle(filters, files))
    if known is None:
        made.whole = len(made.atoms)
    return made


@dataclass(slots=True)
class _Taking:
    """Which rules run. seen: of those that do, by id, where the first was read and of which kind it is."""

    made: Compiled
    choice: Choice
    today: date
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    def takes(self, about: dict[str, Any], path: str, kind: str) -> bool:
        """Whether a rule is on and the first of its id; what is not is noted. Alerts and groups of two of one id would be
        one another's; only detections of one file may share it (old collections give a file one id)."""
        if not _on(about, path, self.choice, self.today, self.made):
            return False
        first = self.seen.get(about["id"])
        if first is None or first == (path, "detection") == (path, kind):
            self.seen[about["id"]] = path, kind
            return True
        self.made.problems.append(_twice(path, about["id"], first[0]))
        return False


def _on(about: dict[str, Any], path: str, choice: Choice, today: date, made: Compiled) -> bool:
    by = choice.off(about, path, today)
    if by is None:
        return True
    made.off.append(
        {"id": str(about.get("id", "")), "title": str(about.get("title", "")), "path": path, "by": str(by)}
    )
    return False


def _named(atom: Atom) -> bytes:
    return orjson.dumps([atom.column, atom.operator, atom.operand])


def _ours(wanted: pattern.Pattern, name: str, route: Route) -> pattern.Pattern:
    """A whole value as the route's source writes it; a pattern with wildcards stays as it is."""
    match wanted:
        case (str(text),):
            [folded] = fold_all([text])
            return (route.value(name, folded),) if folded in route.values[name] else wanted
    return wanted


def _folded(wanted: pattern.Pattern) -> pattern.Pattern:
    texts = iter(fold_all([part for part in wanted if isinstance(part, str)]))
    return tuple(next(texts) if isinstance(part, str) else part for part in wanted)


def _joined(kind: str, args: list[Program]) -> Program:
    """Flattened, and the scanned atoms of one column gathered into one `any` or `all`."""
    if len(args) == 1:
        return args[0]
    group = "any" if kind == "or" else "all"
    gathered: dict[str, list[int]] = {}
    rest: list[Program] = []
    for arg in _flat(kind, args):
        if arg[0] == group or (arg[0] == "any" and len(arg[2]) == 1):
            gathered.setdefault(arg[1], []).extend(arg[2])
        else:
            rest.append(arg)
    groups = [
        [group if len(atoms) > 1 else "any", column, sorted(set(atoms))] for column, atoms in gathered.items()
    ]
    args = [*groups, *rest]
    return args[0] if len(args) == 1 else [kind, args]


def _flat(kind: str, args: list[Program]) -> Iterator[Program]:
    for arg in args:
        if arg[0] == kind:
            yield from _flat(kind, arg[1])
        else:
            yield arg


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ContentError(
            f"プレースホルダーの値「{text}」は 192.0.2.0/24 のようなネットワークではありません。",
            f'the placeholder\'s value "{text}" is not a network such as 192.0.2.0/24',
        ) from None


def _valueless(placeholder: str) -> dict[str, str]:
    return {
        "ja": f"プレースホルダー %{placeholder}% の値が設定されていません。",
        "en": f"placeholder %{placeholder}% has no value",
        "placeholder": placeholder,
    }


def _twice(path: str, identity: str, first: str) -> dict[str, Any]:
    return {
        "path": path,
        "line": None,
        "ja": f"id {identity} は {first} でも使われています。先に読んだ方だけを使います。",
        "en": f"id {identity} is used in {first} too; only the first is used",
    }


NOWHERE = Route(batch.DEAD_LETTERS, (), {}, "{field}")
"""A rule that no source feeds is compiled all the same, so that what is wrong with it is known."""
