"""What is wrong or missing in rule files: our loader, sigma-cli's checks (pySigma's validators), our own conventions.

The validators that ask MITRE's servers for names (ATT&CK, D3FEND) are left out: a closed network cannot.
"""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError, SigmaRuleLocation
from sigma.plugins import InstalledSigmaPlugins
from sigma.validation import SigmaValidator

from hinomi import clock, yamlfile
from hinomi.alert import Level
from hinomi.errors import InputError
from hinomi.words import Words
from rules import cases, engine
from rules.engine import modifiers

ONLINE = frozenset({"attacktag", "d3_fendtag"})
_OURS_IS_TEXT = "number_as_string"  # our own columns are text by contract, winlog.event_id for one
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_NOT = re.compile(r"(?i)\bnot\b")
_LEAST = 2
Held = Mapping[Path, Sequence[yamlfile.Document]]
"""What the files hold, read once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: where, how bad (`error`, or `warning`), a short stable key, in words."""

    file: Path
    line: int | None
    level: str
    key: str
    said: Words

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        mark = "誤り / error" if self.level == "error" else "注意 / warning"
        return f"{place}: {mark} [{self.key}] {self.said.ja} ({self.said.en})"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        said = {"ja": self.said.ja, "en": self.said.en}
        return {"file": str(self.file), "line": self.line, "level": self.level, "key": self.key, **said}


def lint(paths: Sequence[Path], *, public: bool = False) -> list[Finding]:
    """Everything there is to say of these files and folders, file by file. public: without our own conventions."""
    held = {file: _documents(file) for file in engine.rule_files(paths)}
    found = [*_loading(paths), *_sigma(held, () if public else (_OURS_IS_TEXT,))]
    for file, documents in held.items():
        found += [one for document in documents for one in _exception(file, document)]
        if not public:
            found += [one for document in documents for one in _conventions(file, document)]
            found += [one for document in documents for one in _hours(file, document)]
            found += _tests(file, documents)
    found += _ids(held)
    return sorted(set(found), key=lambda one: (str(one.file), one.line or 0, one.level, one.key, one.said.en))


def _documents(file: Path) -> list[yamlfile.Document]:
    try:
        return [one for one in yamlfile.read_all(file) if isinstance(one.value, dict)]
    except InputError:
        return []  # the loader says it


def _loading(paths: Sequence[Path]) -> Iterator[Finding]:
    rules = engine.load(paths)
    for problem in rules.problems:
        yield Finding(problem.path, problem.line, "error", "not_read", problem.reason)
    for rule in rules.unsupported:
        assert rule.unsupported is not None
        yield Finding(rule.path, None, "error", "cannot_run", rule.unsupported)
    for rule in rules.rules:
        if not rule.feeds and rule.unsupported is None:
            said = Words(
                "このログソースを供給するソースがありません。", "no source of ours carries this log source"
            )
            yield Finding(rule.path, None, "warning", "unfed", said)


@cache
def _validators() -> Mapping[str, Any]:
    return InstalledSigmaPlugins.autodiscover().validators


def _sigma(held: Held, left_out: Iterable[str]) -> Iterator[Finding]:
    """sigma-cli's checks: of all files together, since some are about the whole (ids and titles used twice)."""
    chosen = [made for name, made in _validators().items() if name not in ONLINE.union(left_out)]
    with modifiers.as_specified():
        rules = [rule for file, documents in held.items() for rule in _parsed(file, documents)]
        told = [(rule, _read_by_others(rule)) for rule in rules]
        issues = SigmaValidator(chosen).validate_rules(rule for rule, plain in told if plain)
    for issue in issues:
        yield from _of_issue(issue)
    for rule in (rule for rule, plain in told if not plain):
        said = Words(
            "条件をほかの Sigma の道具は読めません(検索の名は ASCII の英数字、_、- だけにし、not で始めないでください)。",
            "other Sigma tools cannot read the condition: name searches in ASCII letters, digits, _ and -, not beginning with `not`",
        )
        yield Finding(Path(rule.source.path), None, "warning", "only_here", said)


def _read_by_others(rule: Any) -> bool:
    """Whether pySigma, which sigma-cli's checks and conversions stand on, can read the conditions."""
    try:
        for condition in rule.detection.parsed_condition if hasattr(rule, "detection") else ():
            condition.parse()
    except (SigmaError, TypeError):
        return False
    return True


def _parsed(file: Path, documents: Iterable[yamlfile.Document]) -> Iterator[Any]:
    plain = [one.value for one in documents if not {"baseline", "filter"} & one.value.keys()]
    try:
        collection = SigmaCollection.from_dicts(plain, collect_errors=True, source=SigmaRuleLocation(file))
        for rule in collection.rules:
            if not rule.errors:
                yield rule
    except SigmaError:
        return  # the loader says it


def _of_issue(issue: Any) -> Iterator[Finding]:
    more = {one.name: getattr(issue, one.name) for one in fields(issue)}
    about = ", ".join(f"{name} {value}" for name, value in more.items() if name not in _SAID and value)
    level = "error" if issue.severity.name == "HIGH" else "warning"
    said = f"{issue.description}{f': {about}' if about else ''}"
    for rule in issue.rules:
        if rule.source is not None:
            key = type(issue).__name__.removesuffix("Issue")
            yield Finding(Path(rule.source.path), None, level, key, Words(f"sigma check: {said}", said))


_SAID = frozenset({"rules", "severity", "description"})


def _conventions(file: Path, document: yamlfile.Document) -> Iterator[Finding]:
    """What each rule of ours says of itself."""
    rule = document.value
    if "filter" in rule or "action" in rule:
        return

    def missing(level: str, key: str, ja: str, en: str) -> Finding:
        return Finding(file, document.places.where(key).line, level, key, Words(ja, en))

    for key, ja in _ALWAYS.items():
        if not rule.get(key):
            yield missing("warning", key, f"{ja}がありません。", f"`{key}` is missing")
    if str(rule.get("level", "")) == Level.INFORMATIONAL:
        return  # only counts; people never see it
    yield from _of_speaking(rule, missing)


def _hours(file: Path, document: yamlfile.Document) -> Iterator[Finding]:
    """A part of a time that is another in Japan: Sigma reads it as it stands, which in `@timestamp` is UTC."""
    searches = document.value.get("detection")
    for name, body in searches.items() if isinstance(searches, Mapping) else ():
        keys = [
            key
            for each in (body if isinstance(body, list) else [body])
            if isinstance(each, Mapping)
            for key in each
        ]
        for key in keys:
            if not _ZONED.isdisjoint(str(key).lower().split("|")[1:]):
                line = document.places.where(f"detection.{name}.{key}").line
                ja = f"{key} は協定世界時(UTC)で比べます(日本の9時は0時)。夜間や閉庁日なら平常値の off_hours を使ってください。"
                en = f"{key} is compared in UTC (09:00 in Japan is 0); for nights and days off use a baseline of type off_hours"
                yield Finding(file, line, "warning", "time_part_utc", Words(ja, en))


_ZONED = frozenset({"hour", "day", "week", "month", "year"})
_ALWAYS = {
    "id": "番号(id)",
    "level": "水準(level)",
    "description": "説明(description)",
    "author": "作者(author)",
}


def _of_speaking(rule: Mapping[str, Any], missing: Any) -> Iterator[Finding]:
    held = rule.get("hinomi")
    own = held if isinstance(held, Mapping) else {}
    if not _JAPANESE.search(str(rule.get("what_to_do_ja") or "")):
        yield missing(
            "error",
            "what_to_do_ja",
            "警報を受けた職員が最初にすることを、日本語で書いてください。",
            "say in Japanese what to do first",
        )
    if not _JAPANESE.search(str(rule.get("title_ja") or "")):
        yield missing("warning", "title_ja", "日本語の題名がありません。", "no Japanese title")
    if not rule.get("falsepositives"):
        yield missing("warning", "falsepositives", "誤検知の例がありません。", "no false positives are named")
    if not any(str(tag).lower().startswith("attack.t") for tag in rule.get("tags") or ()):
        yield missing("warning", "tags", "ATT&CK の技術の札がありません。", "no tag of an ATT&CK technique")
    if not own.get("guideline"):
        yield missing(
            "warning",
            "hinomi",
            "応えるガイドラインの条項(hinomi.guideline)がありません。",
            "no `hinomi.guideline`",
        )
    if not own.get("owner") and not rule.get("author"):
        yield missing(
            "warning", "hinomi", "担当(hinomi.owner)がありません。", "nobody owns it: `hinomi.owner`"
        )


def _exception(file: Path, document: yamlfile.Document) -> Iterator[Finding]:
    """An exception that keeps what it means to leave out, that nobody owns, or that has ended."""
    body = document.value.get("filter")
    if not isinstance(body, Mapping):
        return
    line = document.places.where("filter.condition").line
    if not _NOT.search(str(body.get("condition") or "")):
        ja = "条件は「かつ」で足されるので、このままでは書いたものだけを検知します。除くなら condition: not selection です。"
        en = "the condition is added with `and`: as it stands only what it names is detected; write `condition: not selection` to exclude"
        yield Finding(file, line, "warning", "filter_keeps", Words(ja, en))
    owner, reason, expires = _terms(document.value)
    if not owner or not reason:
        said = Words(
            "担当(hinomi.owner)と理由(hinomi.reason)を書いてください。",
            "write hinomi.owner and hinomi.reason",
        )
        yield Finding(file, document.places.where("hinomi").line, "warning", "filter_unowned", said)
    if expires is None:
        said = Words("終わりの日(hinomi.expires)がありません。", "no last day: hinomi.expires")
        yield Finding(file, document.places.where("hinomi").line, "warning", "filter_endless", said)
    elif expires < clock.today():
        said = Words(f"{expires} に終わっています。", f"ended on {expires}")
        yield Finding(file, document.places.where("hinomi.expires").line, "warning", "filter_ended", said)


def _terms(document: Mapping[str, Any]) -> tuple[str, str, date | None]:
    """Who decided an exception, why, and its last day; what is no date the loader refuses."""
    held = document.get("hinomi")
    own = held if isinstance(held, Mapping) else {}
    try:
        expires = date.fromisoformat(str(own["expires"])) if own.get("expires") else None
    except ValueError:
        expires = None
    return str(own.get("owner") or ""), str(own.get("reason") or ""), expires


def _tests(file: Path, documents: Sequence[yamlfile.Document]) -> Iterator[Finding]:
    speaks = any(
        "filter" not in one.value
        and "action" not in one.value
        and one.value.get("level") != Level.INFORMATIONAL
        for one in documents
    )
    beside = file.with_name(f"{file.stem}.test.yml")
    if not speaks:
        return
    if not beside.exists():
        said = Words(f"隣に試験({beside.name})がありません。", f"there is no test beside it ({beside.name})")
        yield Finding(file, None, "error", "no_test", said)
        return
    try:
        matches = Counter(case.body["match"] for _, case in cases.read(beside))
    except InputError as error:
        line = error.where.line if error.where else None
        yield Finding(beside, line, "error", "bad_test", Words(error.ja, error.en))
        return
    for match, ja, en in (
        (True, "当たるべき例", "cases that must match"),
        (False, "当たってはならない例", "cases that must not"),
    ):
        if matches[match] < _LEAST:
            said = Words(
                f"{ja}が {matches[match]} 件です(2件以上)。", f"{matches[match]} {en}, two are asked for"
            )
            yield Finding(beside, None, "warning", "few_tests", said)


def _ids(held: Held) -> Iterator[Finding]:
    """An id that is no UUID, or that two documents have."""
    seen: dict[str, Path] = {}
    for file, documents in held.items():
        for document in documents:
            identity, line = str(document.value.get("id") or ""), document.places.where("id").line
            if not identity:
                continue
            try:
                uuid.UUID(identity)
            except ValueError:
                said = Words(f"「{identity}」は UUID ではありません。", f'"{identity}" is no UUID')
                yield Finding(file, line, "error", "id", said)
            if identity in seen:
                said = Words(f"{seen[identity]} と同じ番号です。", f"has the id of {seen[identity]}")
                yield Finding(file, line, "error", "id_twice", said)
            seen[identity] = file
