"""Wildcard patterns: resolved, made into Hyperscan expressions, and matched one value at a time.

A pattern is a tuple of texts, ANY (`*`, also nothing and also across lines) and ONE (`?`, one character).
Scanned text is one buffer per column: every distinct value between bytes FF, which UTF-8 never holds, so
that one native call scans a whole column, `^` and `$` are that byte, and `*` never leaves its value.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, product
from typing import Any

from rules.engine.expression import ANY, ONE

Pattern = tuple[str | int, ...]

EDGE = b"\xff"
_MANY = rb"[^\xff]*"
_CHARACTER = rb"(?:[\x00-\x7f]|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3})"
_HEXADECIMAL = [b"\\x%02x" % byte for byte in range(256)]
_SHORT = 3
"""A scan that stops at every occurrence of one or two bytes costs more than it saves."""


class Unresolved(Exception):
    """A placeholder that nobody gave a value for. `args[0]` is its name."""


def resolve(parts: Sequence[Any], placeholders: Mapping[str, Sequence[list[Any]]]) -> list[list[Any]]:
    """Every pattern that the placeholders' values (patterns too) make of this one. Raises Unresolved."""
    if not any(isinstance(part, dict) for part in parts):
        return [list(parts)]
    choices: list[Sequence[list[Any]]] = []
    for part in parts:
        if not isinstance(part, dict):
            choices.append([[part]])
            continue
        name = part["expand"]
        if name not in placeholders:
            raise Unresolved(name)
        choices.append(placeholders[name])
    return [list(chain.from_iterable(choice)) for choice in product(*choices)]


def normal(parts: Sequence[str | int]) -> Pattern:
    """The same pattern with neighbouring texts joined, repeated `*` single, and `?` before `*`."""
    made: list[str | int] = []
    for part in parts:
        if part == "":
            continue
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        elif part == ANY and made and made[-1] == ANY:
            continue
        elif part == ONE and made and made[-1] == ANY:
            made.insert(len(made) - 1, ONE)
        else:
            made.append(part)
    return tuple(made)


def anywhere(pattern: Pattern) -> Pattern:
    """The pattern found anywhere in a value, as keywords are."""
    return normal((ANY, *pattern, ANY))


def literals(pattern: Pattern) -> list[bytes]:
    """The runs of bytes that a match must hold, the edges of the value among them."""
    runs = [b""]
    if pattern[:1] != (ANY,):
        runs[-1] += EDGE
    for part in pattern:
        if isinstance(part, str):
            runs[-1] += part.encode("utf-8", "surrogatepass")
        else:
            runs.append(b"")
    if pattern[-1:] != (ANY,):
        runs[-1] += EDGE
    return runs


def scannable(pattern: Pattern) -> bool:
    """Whether a scan for this pattern stops rarely enough to be worth its while."""
    runs = [run for run in literals(pattern) if run]
    return bool(runs) and max(map(len, runs)) >= _SHORT and not _lone_end(runs)


def _lone_end(runs: list[bytes]) -> bool:
    return len(runs) > 1 and len(runs[-1]) == 1 and runs[-1] != EDGE


def expression(pattern: Pattern) -> bytes:
    """The Hyperscan expression (bytes, no flags) that finds the pattern in an edged buffer."""
    parts = list(pattern)
    head, tail = EDGE, EDGE
    if parts and parts[0] == ANY:
        parts.pop(0)
        head = b""
    if parts and parts[-1] == ANY:
        parts.pop()
        tail = b""
    return _escaped(head) + b"".join(map(_part, parts)) + _escaped(tail)


def _part(part: str | int) -> bytes:
    if isinstance(part, str):
        return _escaped(part.encode("utf-8", "surrogatepass"))
    return _MANY if part == ANY else _CHARACTER


def _escaped(data: bytes) -> bytes:
    return b"".join(map(_HEXADECIMAL.__getitem__, data))


def regex(pattern: Pattern) -> str:
    """The same for Polars' regular expressions, which take linear time too."""
    parts = [re.escape(part) if isinstance(part, str) else ".*" if part == ANY else "." for part in pattern]
    return f"(?s)^{''.join(parts)}$"


def matches(pattern: Pattern, value: str) -> bool:
    """Whether one value matches, in time linear in its length for each part: no backtracking."""
    groups = _groups(pattern)
    if len(groups) == 1:
        return len(value) == _width(groups[0]) and _fits(groups[0], value, 0)
    first, *middle, last = groups
    end = len(value) - _width(last)
    if _width(first) > end or not _fits(first, value, 0) or not _fits(last, value, end):
        return False
    at = _width(first)
    for group in middle:
        at = _find(group, value, at, end)
        if at < 0:
            return False
        at += _width(group)
    return at <= end


def spans(pattern: Pattern, value: str, most: int) -> list[tuple[int, int]]:
    """Where the texts of a pattern stand in a value that matches it: (start, end), at most so many.

    A text that may stand anywhere (`*text*`) is shown wherever it does; of several, each after the last.
    """
    groups = _groups(pattern)
    if len(groups) == 1:
        return [(0, len(value))] if value else []
    first, *middle, last = groups
    end = len(value) - _width(last)
    at = _width(first)
    found = [(0, at)]
    if len(middle) == 1 and not first and not last:
        return _everywhere(middle[0], value, most)
    for group in middle:
        start = _find(group, value, at, end)
        at = start + _width(group)
        found.append((start, at))
    found.append((end, len(value)))
    return [(start, stop) for start, stop in found if start < stop][:most]


def _everywhere(group: list[str | int], value: str, most: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while len(found) < most and (at := _find(group, value, at, len(value))) >= 0:
        found.append((at, at + _width(group)))
        at += _width(group)
    return found


def _groups(pattern: Pattern) -> list[list[str | int]]:
    groups: list[list[str | int]] = [[]]
    for part in pattern:
        if part == ANY:
            groups.append([])
        else:
            groups[-1].append(part)
    return groups


def _width(group: list[str | int]) -> int:
    return sum(len(part) if isinstance(part, str) else 1 for part in group)


def _fits(group: list[str | int], value: str, at: int) -> bool:
    for part in group:
        if isinstance(part, str):
            if not value.startswith(part, at):
                return False
            at += len(part)
        else:
            at += 1
    return True


def _find(group: list[str | int], value: str, at: int, end: int) -> int:
    """Where the group first stands at or after `at` and before `end`; -1 where it does not."""
    if len(group) == 1 and isinstance(group[0], str):
        return value.find(group[0], at, end)
    wanted = re.compile("".join(re.escape(p) if isinstance(p, str) else "." for p in group), re.DOTALL)
    found = wanted.search(value, at, end)
    return found.start() if found else -1
