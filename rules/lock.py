"""The lock file: all that decides what is detected, each with its SHA-256, and whether what runs is what was approved.

Not rules alone: a pipeline, a placeholder's values, a log-source table or a setting changes what a hundred rules mean
without touching one of them. A switch needs no entry: a rule that it turns off does not run, and that is seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson
import sigma

from hinomi import __version__, durable
from hinomi.errors import ContentError, Where
from hinomi.words import Words
from rules.engine import RuleSet, fingerprint, pipelines
from rules.engine.parsed import FORMAT
from rules.in_force import InForce

NAME = "lock.json"
_FORMAT = 2
"""Of the lock file; one of another format says nothing of what this one compares."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One thing that decides what is detected. kind: rule, correlation, baseline, exception, pipeline, placeholder,
    log_source, setting, engine or (of a difference) approval; id: what it is known by within its kind; ended: an
    exception after its last day."""

    kind: str
    id: str
    title: str
    version: str
    sha256: str
    file: str
    ended: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.kind, self.id

    def as_json(self) -> dict[str, str]:
        """Plain JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "ended"}


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was approved."""

    rule: Locked
    said: Words

    def __str__(self) -> str:
        kind, title = _KINDS[self.rule.kind], self.rule.title or self.rule.id
        place = f"{self.rule.file}: " if self.rule.file else ""
        return f"{place}{kind.ja}「{title}」: {self.said.ja} ({kind.en} {title}: {self.said.en})"


_KINDS = {
    "rule": Words("ルール", "rule"),
    "correlation": Words("相関", "correlation"),
    "baseline": Words("平常値", "baseline"),
    "exception": Words("例外", "exception"),
    "pipeline": Words("パイプライン", "pipeline"),
    "placeholder": Words("プレースホルダー", "placeholder"),
    "log_source": Words("ログソースの表", "log-source table"),
    "setting": Words("設定", "setting"),
    "engine": Words("検知エンジン", "engine"),
    "approval": Words("承認", "approval"),
}
_NEW = Words("承認されていないものが動いています", "runs without approval")
_GONE = Words("承認されたものが動いていません", "approved, and does not run")
_CHANGED = Words("承認の後に書き換えられています", "changed since it was approved")


def live(rules: RuleSet) -> list[Locked]:
    """The rules, correlations, baselines and exceptions that run, in order of id, and exceptions that have ended. What
    cannot run is not among them. Each hash is that of the whole rule, with what `action: global` gives it."""
    found = [
        Locked("rule", one.id, one.title, one.version, one.sha256, str(one.path))
        for one in rules.rules
        if one.unsupported is None
    ]
    found += [_document("correlation", one.document, one.path) for one in rules.correlations]
    found += [_document("baseline", one.document, one.path) for one in rules.others]
    found += [
        Locked("exception", one.id or one.title, one.title, one.version, one.sha256, str(one.path), one.ended)
        for one in rules.filters
    ]
    return sorted(found, key=lambda one: (one.id, one.file, one.kind))


def _document(kind: str, document: Mapping[str, Any], path: Path) -> Locked:
    title, version = str(document.get("title") or ""), fingerprint.version(document)
    return Locked(kind, str(document["id"]), title, version, fingerprint.of(document), str(path))


def running(source: InForce, rules: RuleSet, settings: Mapping[str, Any]) -> list[Locked]:
    """All that decides what is detected: rules and the like, how they are read, and settings (plain values by name)."""
    engine = {"hinomi": __version__, "pysigma": getattr(sigma, "__version__", ""), "format": FORMAT}
    tables: dict[str, list[str]] = defaultdict(list)
    for table in rules.tables.tables:
        tables[table.product].append(repr(table))
    chain = [(str(one), n, pipelines.fingerprint(one)) for n, one in enumerate(source.pipelines)]
    return [
        *live(rules),
        *(_plain("pipeline", name, [n, said]) for name, n, said in chain),  # their order counts
        *(_plain("placeholder", name, list(values)) for name, values in source.placeholders.items()),
        *(_plain("log_source", product, sorted(each)) for product, each in sorted(tables.items())),
        *(_plain("setting", name, value) for name, value in settings.items()),
        _plain("engine", "hinomi", engine),
    ]


def _plain(kind: str, name: str, value: Any) -> Locked:
    return Locked(kind, name, name, "", fingerprint.of(value), "")


def text(now: Iterable[Locked], *, by: str, at: str) -> bytes:
    """The lock file of what is approved. by: who does; at: when, as ISO 8601 has it."""
    said = {"format": _FORMAT, "by": by, "at": at, "approved": [one.as_json() for one in now]}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def write(path: Path, said: bytes) -> None:
    """Put a lock file in place: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_durably(path, said)


def read(path: Path) -> list[Locked]:
    """What was approved. Raises ContentError for a file that is no lock file, or an earlier release's."""
    try:
        said = orjson.loads(path.read_bytes())
        if said.get("format", 1) != _FORMAT:
            raise _of_another_release(path)
        return [_locked(**one) for one in said["approved"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContentError(
            "承認済みルールの一覧を読めません。hinomi rules lock で作り直してください。",
            f"this is no lock file; make it with hinomi rules lock ({type(error).__name__})",
            where=Where(path),
        ) from None


def _locked(**said: object) -> Locked:
    """An entry, if it is one. Raises TypeError."""
    texts = {name: value for name, value in said.items() if isinstance(value, str) and name != "ended"}
    if texts.keys() != said.keys() or texts.get("kind") not in _KINDS:
        raise TypeError
    return Locked(**texts)  # type: ignore[arg-type]


def _of_another_release(path: Path) -> ContentError:
    return ContentError(
        "承認の記録が別の版の形です。hinomi rules check で動いているものを確かめ、hinomi rules lock で承認し直してください。",
        "the approval was recorded by another release: look at what runs (hinomi rules check), then approve it anew (hinomi rules lock)",
        where=Where(path),
    )


def differences(approved: Sequence[Locked], now: Sequence[Locked]) -> Iterator[Difference]:
    """What was added, changed or removed since the approval. An exception that came to its last day was approved with it."""
    ended = {(*one.key, one.sha256) for one in now if one.ended}
    held = [one for one in approved if (*one.key, one.sha256) not in ended]
    for before, after in changes(held, [one for one in now if not one.ended]):
        if before is None and after is not None:
            yield Difference(after, _NEW)
        elif after is None and before is not None:
            yield Difference(before, _GONE)
        elif after is not None:
            yield Difference(after, _CHANGED)


def changes(
    before: Iterable[Locked], after: Iterable[Locked]
) -> Iterator[tuple[Locked | None, Locked | None]]:
    """What is not alike in both, as (before, after): None where it is new, or gone. Detections of one file may share an id,
    so each of them has to find its like."""
    was, now = _by_key(before), _by_key(after)
    for key in sorted(was.keys() | now.keys(), key=lambda key: (key[1], key[0])):
        old, new = was.get(key, []), now.get(key, [])
        yield from zip_longest(_without(old, new), _without(new, old))


def _by_key(each: Iterable[Locked]) -> dict[tuple[str, str], list[Locked]]:
    found: dict[tuple[str, str], list[Locked]] = defaultdict(list)
    for one in each:
        found[one.key].append(one)
    return found


def _without(these: Sequence[Locked], those: Sequence[Locked]) -> list[Locked]:
    """These without as many as there are alike of those."""
    alike = [one.sha256 for one in those]
    left = []
    for one in these:
        if one.sha256 in alike:
            alike.remove(one.sha256)
        else:
            left.append(one)
    return left
