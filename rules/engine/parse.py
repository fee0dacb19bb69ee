"""A rule file read: rules, filters, correlations and what else it holds, as plain JSON values.

pySigma does the parsing, so that every rule and every processing pipeline works; what leaves this module
is JSON (`File`), which is what the cache keeps.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from sigma import exceptions
from sigma.collection import deep_dict_update
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetections, SigmaRule

from hinomi import yamlfile
from hinomi.errors import ContentError, InputError
from hinomi.identity import digest
from rules.engine import about, blame, correlations, expression, fingerprint, modifiers, spelling
from rules.engine.parsed import File
from rules.engine.translate import expression_of

_WRONG: list[tuple[type[SigmaError], str, str]] = [
    (exceptions.SigmaConditionError, "detection", "条件式(condition)を読めません。"),
    (exceptions.SigmaRegularExpressionError, "detection", "正規表現を読めません。"),
    (exceptions.SigmaModifierError, "detection", "修飾子(「|」の後の語)が Sigma の仕様に合いません。"),
    (exceptions.SigmaLogsourceError, "logsource", "ログの種類(logsource)が Sigma の仕様に合いません。"),
    (exceptions.SigmaCorrelationRuleError, "correlation", "相関(correlation)が Sigma の仕様に合いません。"),
    (exceptions.SigmaFilterError, "filter", "除外(filter)が Sigma の仕様に合いません。"),
    (
        exceptions.SigmaLevelError,
        "level",
        "重要度(level)は informational、low、medium、high、critical のどれかを書いてください。",
    ),
    (
        exceptions.SigmaStatusError,
        "status",
        "状態(status)は stable、test、experimental、deprecated、unsupported のどれかを書いてください。",
    ),
    (exceptions.SigmaIdentifierError, "id", "識別子(id)は UUID で書いてください(uuidgen で作れます)。"),
    (exceptions.SigmaDateError, "date", "作成日(date)は 2026-11-20 のように書いてください。"),
    (exceptions.SigmaModifiedError, "modified", "更新日(modified)は 2026-11-20 のように書いてください。"),
    (exceptions.SigmaTitleError, "title", "題名(title)が Sigma の仕様に合いません。"),
    (SigmaError, "detection", "検知の内容(detection)が Sigma の仕様に合いません。"),
]
"""What pySigma raises → where in the file that is, and in Japanese what is wrong; the first that fits counts."""


def read(path: Path, pipelines: Sequence[ProcessingPipeline] = ()) -> File:
    """Everything in a rule file. Never raises for what the file says: that is in `problems`."""
    found = File()
    try:
        documents = yamlfile.read_all(path)
    except InputError as error:
        found.problems.append(_problem(error, error.where.line if error.where else None))
        return found
    with modifiers.as_specified():
        _Reader(found, pipelines).read(documents)
    return found


class _Reader:
    """One reading of one file: `action: global` and `repeat` carry over from document to document.

    Sigma 2.1 does not describe them; pySigma, which the rest of the world reads rules with, adds what is common to
    detections alone: a filter or correlation of the same file stands for itself.
    """

    def __init__(self, found: File, pipelines: Sequence[ProcessingPipeline]) -> None:
        self.found = found
        self.pipelines = pipelines
        self.common: dict[str, Any] = {}
        self.previous: dict[str, Any] = {}

    def read(self, documents: list[yamlfile.Document]) -> None:
        for document in documents:
            if document.value is None:
                continue
            if (fault := blame.silent(document) or about.fault(document.value)) is not None:
                self.found.problems.append(_fault(fault, document.places))
                continue
            try:
                self._document(document)
            except (SigmaError, ContentError, *_UNFORESEEN) as error:
                self.found.problems.append(_said(error, document))

    def _document(self, document: yamlfile.Document) -> None:
        value = document.value
        if not isinstance(value, dict):
            raise ContentError("ルールは「キー: 値」の形で書いてください。", "a rule is a mapping of keys")
        action = value.pop("action", None)
        if action is not None:
            self._action(str(action), value)
            return
        for key, take in self._kinds().items():
            if key in value:
                take(value)
                return
        self.previous = deep_dict_update(
            value, deepcopy(self.common)
        )  # as pySigma: the common part is stronger
        self._rule(deepcopy(self.previous))

    def _kinds(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        return {"correlation": self._correlation, "filter": self._filter, "baseline": self._other}

    def _action(self, action: str, value: dict[str, Any]) -> None:
        if action == "global":
            self.common = value
            self.previous = deepcopy(value)
        elif action == "reset":
            self.common = {}
        elif action == "repeat":
            self.previous = deep_dict_update(self.previous, value)
            self._rule(deepcopy(self.previous))
        else:
            raise ContentError(
                f"action「{action}」はありません。global、reset、repeat のどれかです。",
                f'no action "{action}": it is global, reset or repeat',
            )

    def _rule(self, value: dict[str, Any]) -> None:
        sha256 = fingerprint.of(value)
        rule = SigmaRule.from_dict(spelling.respelt_in(value, "detection"))
        for pipeline in self.pipelines:
            pipeline.apply(rule)
        said = expression.text(expression_of(rule))
        self.found.rules.append({**_about(rule, value), "said": said, "sha256": sha256})

    def _filter(self, value: dict[str, Any]) -> None:
        sha256 = fingerprint.of(value)
        read = SigmaFilter.from_dict(spelling.respelt_in(value, "filter"))
        rule = SigmaRule(
            title=read.title,
            logsource=read.logsource,
            detection=SigmaDetections(read.filter.detections, list(read.filter.condition)),
        )
        for pipeline in self.pipelines:
            pipeline.apply(rule)
        rules = read.filter.rules
        self.found.filters.append(
            {
                "title": read.title,
                "id": str(read.id or ""),
                "version": fingerprint.version(value),
                "sha256": sha256,
                **_decided(value.get("hinomi")),
                "logsource": {key: said for key, said in _logsource(read).items() if said != "any"},
                "rules": rules if isinstance(rules, str) else [rule.reference for rule in rules],
                "expression": expression.dump(expression_of(rule)),
            }
        )

    def _correlation(self, value: dict[str, Any]) -> None:
        correlations.read(value)  # raises for what is wrong with it
        self.found.correlations.append(about.settled(_json(value), "correlation"))

    def _other(self, value: dict[str, Any]) -> None:
        self.found.others.append(about.settled(_json(value), "baseline"))


def _decided(said: Any) -> dict[str, Any]:
    """Who decided an exception, why, and until when (`hinomi: {owner, reason, expires}`)."""
    said = said if isinstance(said, dict) else {}
    expires = said.get("expires")
    if expires is not None:
        try:
            expires = date.fromisoformat(str(expires)).isoformat()
        except ValueError:
            raise ContentError(
                f"hinomi.expires「{expires}」は 2026-12-31 のような日付ではありません。",
                f'hinomi.expires "{expires}" is not a date such as 2026-12-31',
            ) from None
    return {
        "owner": str(said.get("owner") or ""),
        "reason": str(said.get("reason") or ""),
        "expires": expires,
    }


def _about(rule: SigmaRule, value: dict[str, Any]) -> dict[str, Any]:
    identity = str(rule.id) if rule.id else digest(rule.title, orjson.dumps(_json(value)).decode())
    return {
        "id": identity,
        "name": rule.name,
        "title": rule.title,
        "level": rule.level.name.lower() if rule.level else "medium",
        "status": rule.status.name.lower() if rule.status else "",
        "tags": [str(tag) for tag in rule.tags],
        "description": rule.description or "",
        "falsepositives": [str(item) for item in rule.falsepositives],
        "logsource": _logsource(rule),
        "version": fingerprint.version(value),
        "custom": _json(rule.custom_attributes),
    }


def _logsource(rule: SigmaRule | SigmaFilter) -> dict[str, str]:
    source = rule.logsource
    parts = {"product": source.product, "category": source.category, "service": source.service}
    return {key: str(value).lower() for key, value in parts.items() if value}


def _json(value: dict[str, Any]) -> dict[str, Any]:
    """Dates and the like become text."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
    return plain


_UNFORESEEN = (TypeError, ValueError, AttributeError, KeyError, RecursionError)
"""What pySigma raises for documents of a shape that it does not foresee."""


def _problem(error: InputError, line: int | None) -> dict[str, Any]:
    return {"line": line, "ja": error.ja, "en": error.en}


def _said(error: Exception, document: yamlfile.Document) -> dict[str, Any]:
    """What is wrong with a document, and where: of a detection the field or value that is to blame."""
    places, section = document.places, blame.section_of(document.value)
    if isinstance(error, ContentError):
        key = error.where.key if error.where else None
        return _problem(error, places.where(f"{section}.{key}" if key else section).line)
    if (fault := blame.find(document)) is not None:
        return _fault(fault, places)
    return _sigma_problem(error, places) if isinstance(error, SigmaError) else _unforeseen(error, places)


def _fault(fault: blame.Fault, places: yamlfile.Places) -> dict[str, Any]:
    line = places.where(fault.path).line
    return {"line": line, "ja": fault.said.ja, "en": fault.said.en, "theirs": fault.theirs}


def _sigma_problem(error: SigmaError, places: yamlfile.Places) -> dict[str, Any]:
    section, said = next((key, said) for kind, key, said in _WRONG if isinstance(error, kind))
    text = str(error.args[0]) if error.args else type(error).__name__
    english = f"{section} is not valid Sigma"
    return {"line": places.where(section).line, "ja": said, "en": english, "theirs": text}


def _unforeseen(error: Exception, places: yamlfile.Places) -> dict[str, Any]:
    text = f"{type(error).__name__}: {error}"
    return {
        "line": places.where("title").line,
        "ja": "ルールの形が Sigma の仕様に合いません。",
        "en": "the rule is not shaped as Sigma says",
        "theirs": text,
    }
