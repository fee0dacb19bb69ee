"""Words of which a raw line must hold one wherever a program holds of its event.

For sources that name the columns whose texts stand in the line as they are (`collectors.narrow.Verbatim`).
"""

import re
from collections.abc import Iterator, Mapping

from rules.engine.columns import KEYWORDS
from rules.engine.program import Atom, Program
from rules.engine.spoken import word_of

_RUN = re.compile(r"[a-z0-9 _.()&%$#@!~+;,-]+")
"""Signs that no format escapes and that stand at no joint of a text made of several (`://`, `=`, `|`)."""
_SHORTEST = 3
_NOT_OURS = re.compile(r"[^a-z0-9 _.,-]")
"""What no text has that a parser of ours writes itself: a keyword would find those, and no line holds them."""
_ABSENT = {"null", "exists"}

Held = Mapping[str, tuple[str, ...]]


def necessary(program: Program, atoms: list[Atom], held: Held) -> frozenset[str] | None:
    """Such words; None where there are none that one can tell."""
    match program:
        case ["any", column, numbers]:
            words = [_word(atoms[number], held) for number in numbers]
            return frozenset(words) if all(words) else _markers(column, held)
        case ["all", column, numbers]:
            known = [word for number in numbers if (word := _word(atoms[number], held))]
            return frozenset([max(known, key=len)]) if known else _markers(column, held)
        case ["test", number]:
            atom = atoms[number]
            return None if atom.operator in _ABSENT else _markers(atom.column, held)
        case ["and", args]:
            known_sets = list(_known(args, atoms, held))
            return min(known_sets, key=_breadth) if known_sets else None
        case ["or", args]:
            parts = [necessary(arg, atoms, held) for arg in args]
            return None if None in parts else frozenset().union(*(part for part in parts if part is not None))
    return None


def _known(args: list[Program], atoms: list[Atom], held: Held) -> Iterator[frozenset[str]]:
    for arg in args:
        if (words := necessary(arg, atoms, held)) is not None:
            yield words


def _breadth(words: frozenset[str]) -> float:
    """About how many lines hold one of them."""
    return sum(0.5 ** len(word) for word in words)


def _word(atom: Atom, held: Held) -> str:
    if atom.column == KEYWORDS:
        word = word_of(atom)
        return word if _NOT_OURS.search(word) else ""
    if atom.operator not in ("is", "is_cased") or (
        atom.column not in held and atom.column != "event.original"
    ):
        return ""
    runs = [run for part in atom.operand if isinstance(part, str) for run in _RUN.findall(part.lower())]
    longest = max(runs, key=len, default="")
    return longest if len(longest) >= _SHORTEST else ""


def _markers(column: str, held: Held) -> frozenset[str] | None:
    """What a line has that fills the column at all."""
    return frozenset(held[column]) if held.get(column) else None
