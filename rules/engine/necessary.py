"""What a raw line must hold wherever a program holds of its event.

For sources that say how their lines hold the texts of their columns (`collectors.narrow.Verbatim`). A need is an
expression (`Word`), all or any of several, NEVER (no line can do), or None where one cannot tell. Whatever is not
understood here is None: a line too many is read, never one too few.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from collectors.narrow import ADDRESSES, Text, Verbatim
from rules.engine import pattern
from rules.engine.addresses import holds_addresses
from rules.engine.columns import KEYWORDS
from rules.engine.fold import fold_all
from rules.engine.plan import Left
from rules.engine.program import Atom, Program

_parser: Any = import_module("re._parser")
_SHORTEST = 3
"""Letters of a word that nothing is known to stand before or behind."""
_KEPT = 3
"""Of words that must all be there so many are looked for."""
_EDGE_LETTERS = 2
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_NUMBERS = re.compile(r"true|false|null|[0-9e.+:, -]")
"""What JSON may write in more ways than one."""
_PLAIN = re.compile("true|false|[0-9]+")
"""What JSON writes in one way, where it is the whole text."""
_ABSENT = {"null", "exists"}
_ORIGINAL = Text()


@dataclass(frozen=True, slots=True)
class Word:
    """An expression to look for, and about how often it is found."""

    expression: str
    breadth: float


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them."""

    needs: tuple["Need", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of them."""

    needs: tuple["Need", ...]


Need = Word | AllOf | AnyOf
NEVER = AnyOf(())
_ADDRESS = AnyOf(tuple(Word(expression, 0.001) for expression in ADDRESSES))
"""A line with an IPv6 address: a column of addresses has its short form, the line may have another spelling."""


def needs(left: Iterable[Left], atoms: list[Atom], verbatim: Verbatim) -> Need | None:
    """What a line must hold for any of the rules; None where one cannot tell."""
    return _Needs(atoms, verbatim).of_rules(left)


def needs_of_each(left: Iterable[Left], atoms: list[Atom], verbatim: Verbatim) -> list[Need | None]:
    """What a line must hold for each of the rules."""
    found = _Needs(atoms, verbatim)
    return [found.of_rule(one) for one in left]


def needs_always(verbatim: Verbatim) -> Need:
    """What makes a line be read whatever it holds else."""
    return AnyOf(tuple(Word(expression, 0.0) for expression in verbatim.always))


@dataclass(frozen=True, slots=True)
class _Needs:
    atoms: list[Atom]
    verbatim: Verbatim

    def of_rules(self, left: Iterable[Left]) -> Need | None:
        return either([needs_always(self.verbatim), *map(self.of_rule, left)])

    def of_rule(self, one: Left) -> Need | None:
        """What a line must hold for one rule."""
        return both([self.of(one.program), *map(self._routed, one.where)])

    def _routed(self, where: tuple[str, tuple[str, ...]]) -> Need | None:
        """What the lines hold of events that are routed so."""
        column, texts = where
        known = [self.verbatim.where.get((column, text)) for text in texts]
        return either([None if one is None else _words(one) for one in known])

    def of(self, program: Program) -> Need | None:
        """What a line must hold where the program holds."""
        match program:
            case ["any", _, numbers]:
                return either([self._atom(self.atoms[number]) for number in numbers])
            case ["all", _, numbers]:
                return both([self._atom(self.atoms[number]) for number in numbers])
            case ["test", number]:
                return self._atom(self.atoms[number])
            case ["and", args]:
                return both([self.of(arg) for arg in args])
            case ["or", args]:
                return either([self.of(arg) for arg in args])
        return None

    def _atom(self, atom: Atom) -> Need | None:
        if atom.operator in _ABSENT:
            return None
        if atom.operator == "cidr" and ":" in str(atom.operand):
            return _ADDRESS
        if atom.column == KEYWORDS:
            return either([self._keyword(atom), _ADDRESS])
        found = self._of_column(atom)
        return either([found, _ADDRESS]) if _may_be_address(atom.column) else found

    def _of_column(self, atom: Atom) -> Need | None:
        text = _ORIGINAL if atom.column == "event.original" else self.verbatim.of(atom.column)
        if text is None:
            return None
        found = self._text(atom, text)
        wanted = atom.operand if atom.operator in ("is", "is_cased") else ()
        marked = text.before and wanted and isinstance(wanted[0], str)
        return found if (found and marked) or not text.marks else both([found, _words(text.marks)])

    def _text(self, atom: Atom, text: Text) -> Need | None:
        if text.only is not None:
            return None if _among(atom, text.only) else NEVER
        if atom.operator == "re":
            return None if text.number else self._regex(atom.operand[0])
        if atom.operator not in ("is", "is_cased"):
            return None
        if not atom.operand:
            return NEVER if text.filled else None if text.empty is None else Word(text.empty, 0.0)
        return both(list(self._parts(atom.operand, text)))

    def _parts(self, wanted: Sequence[str | int], text: Text) -> Iterable[Need | None]:
        """The words of a wildcard pattern; the first and the last letters with what stands around the text."""
        last = len(wanted) - 1
        whole = len(wanted) == 1
        for number, part in enumerate(wanted):
            if not isinstance(part, str):
                continue
            cuts = list(self._runs(part))
            for run, start, end in cuts:
                first, final = number == 0 and start == 0, number == last and end == len(part)
                if text.marks and len(run) == 1 and not first:
                    continue  # in nearly every line; the marks tell more
                before, after = text.before if first else "", text.after if final else ""
                yield self._run(run, before, after, number=text.number, whole=whole and first and final)

    def _runs(self, text: str) -> Iterable[tuple[str, int, int]]:
        for found in re.finditer(f"[{self.verbatim.signs}]+", text, re.IGNORECASE | re.ASCII):
            yield found.group().lower(), found.start(), found.end()

    def _run(
        self, run: str, before: str = "", after: str = "", *, number: bool = False, whole: bool = False
    ) -> Need | None:
        """Some letters of a text. JSON writes a number that is no whole one in several ways."""
        if self.verbatim.escapes and not _NUMBERS.sub("", run) and not (whole and _PLAIN.fullmatch(run)):
            return None
        zeros = "[+0]*" if number else ""
        if number and not (before and after and run.isdigit()):
            return None
        if len(run) < _SHORTEST and not before and not after:
            return None
        edges = _EDGE_LETTERS * (bool(before) + bool(after))
        return Word(before + zeros + re.escape(run) + after, 0.5 ** (len(run) + edges))

    def _regex(self, regex: str) -> Need | None:
        """What every match of a regular expression holds, in whatever case."""
        try:
            return self._inside(_parser.parse(regex))
        except (re.error, RecursionError, OverflowError):
            return None

    def _inside(self, items: Any) -> Need | None:
        found: list[Need | None] = []
        run = ""
        for code, item in items:
            if str(code) == "LITERAL":
                run += chr(item)
                continue
            found += [self._run(piece) for piece, _, _ in self._runs(run)]
            run = ""
            if str(code) == "SUBPATTERN":
                found.append(self._inside(item[-1]))
            elif str(code) == "BRANCH":
                found.append(either([self._inside(branch) for branch in item[1]]))
            elif str(code) in _REPEATS and item[0] >= 1:
                found.append(self._inside(item[2]))
        return both([*found, *(self._run(piece) for piece, _, _ in self._runs(run))])

    def _keyword(self, atom: Atom) -> Need | None:
        """Of a keyword the letters between joints, where no text of the source's own can hold them."""
        if atom.operator not in ("is", "is_cased"):
            return None
        joints = f"[{self.verbatim.joints}]" if self.verbatim.joints else None
        said = [part for part in atom.operand if isinstance(part, str)]
        runs = [run for part in said for run, _, _ in self._runs(part)]
        pieces = [piece for run in runs for piece in (re.split(joints, run) if joints else [run])]
        return both([self._run(piece) for piece in pieces if re.search(f"[^{self.verbatim.own}]", piece)])


def both(parts: Sequence[Need | None]) -> Need | None:
    """All of them, or the few that look rarest: how often a word is found, its length tells badly."""
    known = sorted(dict.fromkeys(part for part in parts if part is not None), key=_breadth)
    if not known or known[0] == NEVER:
        return known[0] if known else None
    kept = known[:_KEPT]
    return kept[0] if len(kept) == 1 else AllOf(tuple(kept))


def either(parts: Sequence[Need | None]) -> Need | None:
    """Any of them."""
    known = dict.fromkeys(part for part in parts if part is not None and part != NEVER)
    if any(part is None for part in parts):
        return None
    return next(iter(known)) if len(known) == 1 else AnyOf(tuple(known))


def _breadth(need: Need) -> float:
    match need:
        case Word(_, breadth):
            return breadth
        case AllOf(parts):
            return min(map(_breadth, parts))
        case AnyOf(parts):
            return sum(map(_breadth, parts))


def _among(atom: Atom, texts: frozenset[str]) -> bool:
    """Whether an atom may hold of one of these."""
    if not texts or atom.operator not in ("is", "is_cased"):
        return bool(texts)
    wanted = tuple(atom.operand)
    return any(pattern.matches(wanted, text) for one in texts for text in (one, *fold_all([one])))


def _may_be_address(column: str) -> bool:
    """Whether the reader may have written an address into a column in its short form."""
    return holds_addresses(column) or column.endswith((".address", ".domain"))


def _words(expressions: Sequence[str]) -> Need | None:
    return either([Word(expression, 0.5 ** len(expression)) for expression in expressions])
