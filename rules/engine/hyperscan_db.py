"""One Hyperscan database: many patterns, found in one pass over native memory.

Two kinds. `Literals` scans an edged buffer (see `rules.engine.pattern`) of all values at once and reports
where each pattern ended. `Regexes` scans value by value, each pattern reported once; what Hyperscan can
only approximate is marked, so that the caller confirms it with `re`. A pattern that Hyperscan refuses
is named in `left_out` and stays with the caller.
"""

import itertools
import platform
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from weakref import WeakValueDictionary

import hyperscan
import numpy as np
import numpy.typing as npt
import orjson

from rules.engine import cache

Ints = npt.NDArray[np.int64]

_REGEX = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY | hyperscan.HS_FLAG_UTF8
_LOCATE = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_ALLOWEMPTY | hyperscan.HS_FLAG_UTF8
# Without UCP, as PCRE by default: \w, \d, \s and \b are ASCII. (With it some patterns take seconds to compile.)
_FLAGS = {
    "i": hyperscan.HS_FLAG_CASELESS,
    "m": hyperscan.HS_FLAG_MULTILINE,
    "s": hyperscan.HS_FLAG_DOTALL,
}
_PYTHON_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
LONG = 10_000
"""Characters beyond which `re`, which may take the square of a text's length, is not asked."""
_ID_BITS = 24
_ID_MASK = (1 << _ID_BITS) - 1
_VERSION = f"{metadata.version('hyperscan')} {platform.machine()} 1".encode()


@dataclass(slots=True, weakref_slot=True)
class Database:
    """Compiled patterns, the ids of those left out, and of those that are only approximated."""

    native: Any
    left_out: frozenset[int]
    approximate: frozenset[int]
    lock: Any


_IN_USE: WeakValueDictionary[str, Database] = WeakValueDictionary()
"""Databases that some rule set holds: after a reload the unchanged ones need not be read again."""


def compiled(
    patterns: Sequence[tuple[int, bytes, int]], store: cache.Cache, prefilter: bool = False
) -> Database:
    """The database of (id, expression, flags), from the cache where it is there."""
    described = [orjson.dumps([number, flags]) + text for number, text, flags in patterns]
    return _kept(cache.key(_VERSION, *described), lambda: patterns, store, prefilter)


def _kept(
    key: str, patterns: Callable[[], Sequence[tuple[int, bytes, int]]], store: cache.Cache, prefilter: bool
) -> Database:
    name = f"hs-{key}"
    held = _IN_USE.get(name) or _read(name, store)
    if held is None or not store.holds(name):
        held = held or _compile(patterns(), prefilter)
        if store.folder is not None:
            store.write(name, _kept_form(held))
    _IN_USE[name] = held
    return held


def _read(name: str, store: cache.Cache) -> Database | None:
    kept = store.read(name)
    if kept is None:
        return None
    found = _loaded(kept)
    if found is None:
        store.distrust(name, cache.FOREIGN)
    return found


def _kept_form(made: Database) -> bytes:
    header = orjson.dumps([sorted(made.left_out), sorted(made.approximate)])
    body = b"" if made.native is None else hyperscan.dumpb(made.native)
    return len(header).to_bytes(4, "big") + header + body


def _loaded(kept: bytes) -> Database | None:
    """The database; None where it was made by another release, or for another kind of processor."""
    size = int.from_bytes(kept[:4], "big")
    body = kept[4 + size :]
    try:
        left_out, approximate = orjson.loads(kept[4 : 4 + size])
        native = _ready(hyperscan.loadb(body, hyperscan.HS_MODE_BLOCK)) if body else None
    except (ValueError, hyperscan.HyperscanError):
        return None
    return Database(native, frozenset(left_out), frozenset(approximate), threading.Lock())


def _ready(native: Any) -> Any:
    native.scratch = hyperscan.Scratch(native)
    return native


def _build(patterns: Sequence[tuple[int, bytes, int]]) -> Any:
    if not patterns:
        return None
    native = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    native.compile(
        ids=[number for number, _, _ in patterns],
        expressions=[text for _, text, _ in patterns],
        flags=[flags for _, _, flags in patterns],
        elements=len(patterns),
    )
    return native


def _compile(patterns: Sequence[tuple[int, bytes, int]], prefilter: bool) -> Database:
    try:
        return Database(_build(patterns), frozenset(), frozenset(), threading.Lock())
    except hyperscan.HyperscanError:
        return _compile_each(patterns, prefilter)


def _compile_each(patterns: Sequence[tuple[int, bytes, int]], prefilter: bool) -> Database:
    """Slower: find out which patterns are to blame, one by one."""
    good, approximate, left_out = [], set(), set()
    for number, text, flags in patterns:
        for attempt in (flags, flags | hyperscan.HS_FLAG_PREFILTER) if prefilter else (flags,):
            try:
                _build([(number, text, attempt)])
            except hyperscan.HyperscanError:
                continue
            good.append((number, text, attempt))
            if attempt != flags:
                approximate.add(number)
            break
        else:
            left_out.add(number)
    return Database(_build(good), frozenset(left_out), frozenset(approximate), threading.Lock())


def literals(
    said: bytes, patterns: Callable[[], Sequence[tuple[int, bytes]]], store: cache.Cache
) -> Database:
    """The database of (id, expression) for edged buffers. said: what decides the patterns."""
    key = cache.key(_VERSION, b"literals 1", said)
    return _kept(key, lambda: [(number, text, 0) for number, text in patterns()], store, prefilter=False)


def regexes(patterns: Sequence[tuple[int, str, str]], store: cache.Cache) -> Database:
    """The database of (id, regular expression, flags out of "ims")."""
    return compiled(
        [
            (number, text.encode("utf-8", "surrogatepass"), sum((_FLAGS[f] for f in flags), _REGEX))
            for number, text, flags in patterns
        ],
        store,
        prefilter=True,
    )


def python_regex(text: str, flags: str) -> re.Pattern[str]:
    """The same regular expression for `re`."""
    classes = re.RegexFlag(0) if "i" in flags else re.ASCII  # ASCII would end case folding beyond it
    return re.compile(text, sum((_PYTHON_FLAGS[flag] for flag in flags), classes))


def regex_spans(text: str, flags: str, value: str, most: int) -> list[tuple[int, int]]:
    """Where a regular expression matches, neighbours that overlap joined; nothing where nobody can tell.

    In time linear in the value, unless the expression is one that only `re` can decide.
    """
    alone = regexes([(0, text, flags)], cache.Cache(None))
    if alone.left_out or alone.approximate:
        found = itertools.islice(python_regex(text, flags).finditer(value[:LONG]), most)
        return [match.span() for match in found if match.group()]
    located = compiled([(0, text.encode(), sum((_FLAGS[f] for f in flags), _LOCATE))], cache.Cache(None))
    return _in_letters(value, _located(located.native, value.encode(), most))


def _located(native: Any, value: bytes, most: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []

    def seen(_number: int, start: int, end: int, _flags: int, _context: object) -> bool:
        while found and start < found[-1][1]:
            before = found.pop()
            start, end = min(start, before[0]), max(end, before[1])
        if start < end:
            found.append((start, end))
        return len(found) > most

    if native is not None:
        with suppress(hyperscan.ScanTerminated):
            native.scan(value, match_event_handler=seen)
    return found[:most]


def _in_letters(value: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if value.isascii():
        return spans
    data = value.encode()
    return [(len(data[:start].decode()), len(data[:end].decode())) for start, end in spans]


def scan_buffer(database: Database, buffer: bytes | memoryview) -> tuple[Ints, Ints]:
    """(ids, end offsets) of every match in the buffer."""
    found: list[int] = []
    keep: Callable[[int], None] = found.append

    def seen(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        keep(end << _ID_BITS | number)

    if database.native is not None:
        with database.lock:
            database.native.scan(buffer, match_event_handler=seen)
    packed = np.array(found, dtype=np.int64)
    return packed & _ID_MASK, packed >> _ID_BITS


def scan_values(database: Database, values: Sequence[bytes]) -> tuple[Ints, Ints]:
    """(ids, indices of the values) of every match, value by value."""
    found: list[int] = []
    keep: Callable[[int], None] = found.append

    def seen(number: int, _start: int, _end: int, _flags: int, index: int) -> None:
        keep(index << _ID_BITS | number)

    if database.native is not None:
        with database.lock:
            scan = database.native.scan
            for index, value in enumerate(values):
                scan(value, match_event_handler=seen, context=index)
    packed = np.array(found, dtype=np.int64)
    return packed & _ID_MASK, packed >> _ID_BITS
