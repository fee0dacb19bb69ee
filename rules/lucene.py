"""Sigma rules as Elasticsearch queries, by pySigma's own Lucene backend: for what runs inside the cluster.

Scheduled queries and hunts over past months use these; live detection stays with our engine, and a differential test
holds the two together (`tests/rules/test_lucene.py`). Beyond pySigma's conversion this adds what our index needs: the
columns of the log-source tables (`OurFields`), case that does not count (Sigma's rule; our fields keep case), texts of
address fields, numbers in vendor fields. What Lucene cannot say is refused with the reason, never left out silently.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionNOT, SigmaCondition
from sigma.conversion.state import ConversionState
from sigma.exceptions import SigmaError, SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations.base import DetectionItemTransformation
from sigma.rule import SigmaDetectionItem, SigmaRule
from sigma.types import SigmaCasedString, SigmaString, SpecialChars

from hinomi import yamlfile
from hinomi.errors import ContentError
from hinomi.query import Comparison
from hinomi.store import asked
from hinomi.store.asked import kind as _kind
from hinomi.store.elastic import dsl, schema, twins
from rules.engine import condition, modifiers, spelling
from rules.engine.logsource import ANY_DATASET, Tables
from rules.engine.routes import Route

_LINES = ("event.original", "message")
_SPECIAL = re.compile(r'([.?+*|{}\[\]()"\\#@&<>~^$/-])')
_PERL_ONLY = re.compile(r"\(\?|\\[bBAZzpPxuk1-9]|[*+?}][?+]|\[\[:")


@dataclass(frozen=True, slots=True)
class Query:
    """A rule over one dataset (`*`: all), as Elasticsearch's query DSL."""

    dataset: str
    body: Mapping[str, Any]


@dataclass
class OurFields(DetectionItemTransformation):
    """The pipeline's one step: Sigma's names and values as this route's source writes them."""

    route: Route

    def apply_detection_item(self, detection_item: SigmaDetectionItem) -> None:
        """Rename the field; replace values that the source writes otherwise."""
        name = detection_item.field
        if name is None:
            return
        detection_item.value = [self._value(name, value) for value in detection_item.value]
        detection_item.field = self.route.column(name)

    def _value(self, name: str, value: Any) -> Any:
        if not isinstance(value, SigmaString) or value.contains_special():
            return value
        folded = str(value).casefold()
        ours = self.route.value(name, folded)
        return value if ours == folded else SigmaString(ours)


class _Backend(LuceneBackend):
    """pySigma's Lucene backend over our index."""

    convert_or_as_in: ClassVar[bool] = False

    def convert_condition_field_eq_val_str(self, cond: Any, state: ConversionState) -> str:
        return _text(cond.field, _pattern(cond.value, folded=True))

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: ConversionState) -> str:
        return _text(cond.field, _pattern(cond.value, folded=False))

    def convert_condition_field_eq_val_num(self, cond: Any, state: ConversionState) -> str:
        return f"{_name(cond.field)}:{_escaped(str(cond.value.number))}"

    def convert_condition_field_eq_val_bool(self, cond: Any, state: ConversionState) -> str:
        word = "true" if cond.value.boolean else "false"
        return (
            f"{_name(cond.field)}:{word}"
            if _kind(cond.field) == "boolean"
            else _text(cond.field, _folded(word))
        )

    def convert_condition_field_eq_val_re(self, cond: Any, state: ConversionState) -> str:
        if cond.value.flags:
            raise SigmaFeatureNotSupportedByBackendError("Lucene has no flags for regular expressions")
        return _text(cond.field, _regex(str(cond.value.regexp)))

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: ConversionState) -> str:
        if _kind(cond.field) == "ip":
            return str(super().convert_condition_field_eq_val_cidr(cond, state))
        parts = [_text(cond.field, _pattern(SigmaString(text), folded=True)) for text in cond.value.expand()]
        return f"({' OR '.join(parts)})"

    def convert_condition_field_compare_op_val(self, cond: Any, state: ConversionState) -> str:
        value = cond.value
        if _kind(cond.field) != "date" and not asked.is_counted(cond.field):
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} holds no numbers")
        field = cond.field if _kind(cond.field) == "date" else schema.number_of(cond.field)
        sign = self.compare_operators[value.op]
        found = f"{_name(field)}:{sign}{_escaped(str(value.number))}"
        old = twins.before(cond.field, cast(Comparison, sign), value.number.number)
        return f"({found} OR {_name(old[0])}:{_range(old[1])})" if old else found

    def convert_condition_field_eq_expansion(self, cond: Any, state: ConversionState) -> str:
        """Values that a modifier made of one; pySigma's own conversion of these fails unless values go into lists."""
        each = [ConditionFieldEqualsValueExpression(cond.field, value) for value in cond.value.values]
        return "(" + " OR ".join(str(self.convert_condition_field_eq_val(one, state)) for one in each) + ")"

    def convert_condition_val_str(self, cond: Any, state: ConversionState) -> str:
        """A keyword: in the line, also as JSON writes it, and in the message; what the engine searches."""
        folded = not isinstance(cond.value, SigmaCasedString)
        line, plain = (_pattern(cond.value, folded=folded, line=line) for line in (True, False))
        return f"({_text('event.original', f'.*{line}.*')} OR {_text('message', f'.*{plain}.*')})"

    def convert_condition_val_num(self, cond: Any, state: ConversionState) -> str:
        return " OR ".join(_text(line, f".*{_folded(str(cond.value))}.*") for line in _LINES).join("()")

    def convert_condition_val_re(self, cond: Any, state: ConversionState) -> str:
        if cond.value.flags:
            raise SigmaFeatureNotSupportedByBackendError("Lucene has no flags for regular expressions")
        return " OR ".join(_text(line, _regex(str(cond.value.regexp))) for line in _LINES).join("()")

    def convert_condition(self, cond: Any, state: ConversionState) -> Any:
        """What is never true matches nothing."""
        return (
            "(*:* AND NOT *:*)"
            if isinstance(cond, condition.Nothing)
            else super().convert_condition(cond, state)
        )

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> str:
        """A negation alone matches nothing in Lucene: it is taken from everything."""
        return f"(*:* AND NOT ({self.convert_condition(cond.args[0], state)}))"


def queries(rule: SigmaRule, tables: Tables) -> Iterator[Query]:
    """The rule over each dataset that can feed it. Raises ContentError with what Lucene cannot say."""
    logsource = {
        name: value
        for name in ("product", "category", "service")
        if (value := getattr(rule.logsource, name)) is not None
    }
    for route in tables.routes(logsource):
        yield Query(route.dataset, {"bool": {"filter": [_said(rule, route), *_where(route)]}})


def read(text: str, identity: str = "") -> SigmaRule:
    """The rule of that id in a file's text (the first where none is asked for), read as our engine reads it. Raises ContentError."""
    try:
        documents = [
            spelling.respelt_in(one.value, "detection")
            for one in yamlfile.parse(text, "")
            if isinstance(one.value, dict)
        ]
        with modifiers.as_specified():
            found = [one for one in SigmaCollection.from_dicts(documents).rules if isinstance(one, SigmaRule)]
    except SigmaError as error:
        raise ContentError(f"ルールを読めません({error})。", f"the rule cannot be read: {error}") from error
    own = [one for one in found if identity in ("", str(one.id))] or (found if len(found) == 1 else [])
    if not own:
        raise ContentError("検知ルールがありません。", "there is no detection rule")
    held = own[0].detection
    held.parsed_condition = [_Condition(one.condition, held, one.source) for one in held.parsed_condition]
    return own[0]


class _Condition(SigmaCondition):
    """A condition that is read as our engine reads it."""

    def parse(self, postprocess: bool = True) -> Any:
        """See `SigmaCondition.parse`."""
        if not postprocess:
            return condition.read(self.condition, list(self.detections.detections))
        return condition.tree(self)


def _said(rule: SigmaRule, route: Route) -> dict[str, Any]:
    pipeline = ProcessingPipeline(items=[ProcessingItem(OurFields(route))])
    try:
        with modifiers.as_specified():
            parts = _Backend(pipeline).convert_rule(rule)
    except (SigmaError, NotImplementedError, TypeError) as error:
        raise ContentError(
            f"Elasticsearch の検索式にできません({error})。", f"cannot be a Lucene query: {error}"
        ) from error
    lucene = " OR ".join(f"({part})" for part in parts)
    return {"query_string": {"query": lucene, "analyze_wildcard": False, "default_field": "event.original"}}


def _where(route: Route) -> Iterator[dict[str, Any]]:
    for column, values in route.where:
        found = [
            {"term": {_text_field(column): {"value": value, "case_insensitive": True}}} for value in values
        ]
        yield {"bool": {"should": found, "minimum_should_match": 1}}
    if route.dataset != ANY_DATASET:
        yield {"term": {"event.dataset": route.dataset}}


def _text_field(column: str) -> str:
    if "[]" in column or "|" in column:
        raise SigmaFeatureNotSupportedByBackendError(f"{column} is worked out, not indexed")
    return f"{column}.keyword" if _kind(column) == "ip" else column


def _name(column: str) -> str:
    return re.sub(
        r'([\s*:()"\\/\[\]{}^~?!&|+=<>-])', r"\\\1", _text_field(column) if "." in column else column
    )


def _text(column: str, pattern: str) -> str:
    """A text compared with a pattern; numbers and times only where the pattern is a plain value."""
    kind = _kind(column)
    if kind in {"long", "float", "date", "boolean"}:
        plain = re.sub(r"\[(.).\]", r"\1", pattern)
        if not re.fullmatch(r"[\w:.]+", plain):
            raise SigmaFeatureNotSupportedByBackendError(f"{column} holds no text")
        return f"{_name(column)}:{_escaped(plain)}"
    return f"{_name(column)}:/{pattern or '()'}/"


def _pattern(value: SigmaString, *, folded: bool, line: bool = False) -> str:
    """line: of a text inside a line, which may be a JSON document."""
    sign_of = _either if folded else _literal
    parts = []
    for part in value.s:
        if part is SpecialChars.WILDCARD_MULTI:
            parts.append(".*")
        elif part is SpecialChars.WILDCARD_SINGLE:
            parts.append(".")
        elif isinstance(part, str):
            parts += [_escapable(sign, sign_of(sign)) if line else sign_of(sign) for sign in part]
        else:
            raise SigmaFeatureNotSupportedByBackendError("a placeholder has no value")
    _check(len(parts))
    return "".join(parts)


def _check(signs: int) -> None:
    """Of an expression of so many signs (each as many cases as it has): longer ones end the node that reads them."""
    if signs > dsl.LONGEST:
        raise SigmaFeatureNotSupportedByBackendError(
            f"Lucene's regular expressions take {dsl.LONGEST} signs, not {signs}"
        )


def _escapable(sign: str, plain: str) -> str:
    """A sign as it is or as JSON may write it: `\\"`, `\\\\`, `\\n`, `\\u00e9`."""
    if sign in '"\\/':
        return rf"[\\]?{plain}"
    if sign.isascii() and sign.isprintable():
        return plain
    short = json.dumps(sign)[1:-1]
    return f"({plain}|{_folded(short)})"


def _folded(text: str) -> str:
    return "".join(_either(sign) for sign in text)


def _either(sign: str) -> str:
    low, up = sign.lower(), sign.upper()
    return f"[{low}{up}]" if low != up and len(low) == len(up) == 1 else _literal(sign)


def _literal(text: str) -> str:
    """The text in an expression. A backslash stands in a class: before the closing slash it would escape that."""
    return _SPECIAL.sub(lambda found: r"[\\]" if found[0] == "\\" else f"\\{found[0]}", text)


def _regex(text: str) -> str:
    """An expression that is found anywhere, as Lucene's, which must match the whole."""
    _check(len(text))
    if _PERL_ONLY.search(text):
        raise SigmaFeatureNotSupportedByBackendError(f"Lucene's regular expressions cannot say {text}")
    start, end = text.startswith("^"), text.endswith("$") and not text.endswith("\\$")
    inner = text[start : len(text) - end]
    if re.search(r"(?<!\\)(?<!\[)[\^$]", inner):
        raise SigmaFeatureNotSupportedByBackendError("an anchor inside a regular expression")
    inner = re.sub(r'(?<!\\)([#@&<>~"/])', r"\\\1", inner)
    return f"{'' if start else '.*'}({inner}){'' if end else '.*'}"


def _range(bounds: Mapping[str, str]) -> str:
    """Elasticsearch's range in Lucene's words."""
    low, high = (bounds.get(f"{end}e", bounds.get(end)) for end in ("gt", "lt"))
    return f'{"{" if "gt" in bounds else "["}"{low}" TO "{high}"{"}" if "lt" in bounds else "]"}'


def _escaped(text: str) -> str:
    return re.sub(r'([+\-=&|!(){}\[\]^"~*?:\\/ <>])', r"\\\1", text)
