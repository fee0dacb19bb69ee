"""The lock file: each live rule with its version and the SHA-256 of its text, and whether what runs is what was approved."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from hinomi import yamlfile
from hinomi.errors import ContentError, Where
from hinomi.words import Words
from rules.engine import RuleSet

NAME = "lock.json"


@dataclass(frozen=True, slots=True)
class Locked:
    """One live rule, correlation, baseline or exception."""

    id: str
    title: str
    version: str
    sha256: str
    file: str

    def as_json(self) -> dict[str, str]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in ("id", "title", "version", "sha256", "file")}


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that is not as it was approved."""

    rule: Locked
    said: Words

    def __str__(self) -> str:
        return f"{self.rule.file}: {self.rule.title}: {self.said.ja} ({self.said.en})"


def live(rules: RuleSet) -> list[Locked]:
    """What runs, in order of id. A rule's hash is that of its own document, so that a neighbour's change is not its own."""
    found = [(rule.id, rule.path) for rule in rules.rules]
    found += [(str(one.document.get("id", "")), one.path) for one in rules.correlations]
    found += [(str(one.document.get("id", "")), one.path) for one in rules.others]
    found += [(one.id or one.title, one.path) for one in rules.filters if not one.ended]
    documents = {path: _documents(path) for path in {path for _, path in found}}
    locked = [_locked(identity, path, documents[path]) for identity, path in found]
    return sorted(locked, key=lambda one: (one.id, one.file))


def _documents(path: Path) -> list[Mapping[str, Any]]:
    return [one.value for one in yamlfile.read_all(path) if isinstance(one.value, dict)]


def _locked(identity: str, path: Path, documents: list[Mapping[str, Any]]) -> Locked:
    own = next(
        (one for one in documents if identity in (str(one.get("id", "")), str(one.get("title", "")))), None
    )
    held: Any = documents if own is None else own
    text = orjson.dumps(held, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    about = own or (documents[0] if documents else {})
    version = str(about.get("modified") or about.get("date") or "")
    return Locked(identity, str(about.get("title", "")), version, hashlib.sha256(text).hexdigest(), str(path))


def write(path: Path, rules: RuleSet, *, by: str, at: str) -> int:
    """Approve what runs now: whole or not at all. Returns how many rules."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = [one.as_json() for one in live(rules)]
    made = path.with_suffix(".part")
    made.write_bytes(orjson.dumps({"by": by, "at": at, "rules": held}, option=orjson.OPT_INDENT_2))
    made.replace(path)
    return len(held)


def read(path: Path) -> dict[str, Locked]:
    """What was approved, by id. Raises ContentError for a file that is no lock file."""
    try:
        return {one["id"]: Locked(**one) for one in orjson.loads(path.read_bytes())["rules"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContentError(
            "承認済みルールの一覧を読めません。hinomi rules lock で作り直してください。",
            f"this is no lock file; make it with hinomi rules lock ({type(error).__name__})",
            where=Where(path),
        ) from None


def differences(path: Path, rules: RuleSet) -> Iterator[Difference]:
    """Each rule that was added, changed or removed since the approval."""
    approved, running = read(path), {one.id: one for one in live(rules)}
    for identity in sorted(approved.keys() | running.keys()):
        before, now = approved.get(identity), running.get(identity)
        if before is None and now is not None:
            yield Difference(now, Words("承認されていないルールが動いています", "runs without approval"))
        elif now is None and before is not None:
            yield Difference(before, Words("承認されたルールが動いていません", "approved, and does not run"))
        elif before is not None and now is not None and before.sha256 != now.sha256:
            yield Difference(now, Words("承認の後に書き換えられています", "changed since it was approved"))
