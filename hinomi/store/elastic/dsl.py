"""The search language as Elasticsearch's query DSL: the same meaning as over Parquet."""

import ipaddress
import re
from datetime import UTC, datetime
from typing import Any

from hinomi import query
from hinomi.errors import QueryError
from hinomi.store import addresses, casing, patterns, values
from hinomi.store.asked import kind
from hinomi.store.elastic import schema, twins

Query = dict[str, Any]
NOTHING: Query = {"match_none": {}}
_BELOW, _ABOVE = ipaddress.IPv6Address("::fffe:ffff:ffff"), ipaddress.IPv6Address("::1:0:0:0")
_SIGNS_OF_REGEXP = frozenset('.?+*|{}[]()"\\#@&<>~^$-')
_LINES = ("event.original", "message")
LONGEST = 500
"""Signs of a regular expression: of several thousand a node dies (Lucene reads them by recursion; seen with 8.19.8)."""
TOO_MUCH = (
    "この値は、Elasticsearch で探すには長すぎるか込み入りすぎています。短くしてください。",
    "this value is too long or too intricate for Elasticsearch to search by; make it shorter",
)
_EVERY_TIME = frozenset({"@timestamp", "event.ingested"})
"""Times that no document has from before 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ITS_OWN = frozenset(
    {
        "_data_stream_timestamp",
        "_doc_count",
        "_feature",
        "_field_names",
        "_id",
        "_ignored",
        "_ignored_source",
        "_index",
        "_index_mode",
        "_inference_fields",
        "_nested_path",
        "_routing",
        "_seq_no",
        "_source",
        "_tier",
        "_type",
        "_version",
    }
)
"""Elasticsearch's metadata fields (`_field_caps?filters=+metadata` of 8.19.8 and its reference, "Metadata fields"), which
a document cannot have itself: one that comes with such a name becomes a dead letter."""


def of(node: query.Node) -> Query:
    """The query of a node. Raises QueryError where a value cannot be compared."""
    match node:
        case query.Everything():
            return {"match_all": {}}
        case query.And(parts):
            return {"bool": {"filter": [of(part) for part in parts]}}
        case query.Or(parts):
            return _any([of(part) for part in parts])
        case query.Not(part):
            return {"bool": {"must_not": [of(part)]}}
        case query.Text(value):
            return _any([_like(name, ["", value, ""]) for name in _LINES])
        case query.Exists(name):
            return _of_events(name, _exists(name))
        case query.Is(name, value, wild):
            return _of_events(name, _is(name, value, wild))
        case query.Within(name, network):
            return _of_events(name, _within(name, network))
        case query.Compare(name, sign, value):
            return _of_events(name, _compare(name, sign, value))


def is_of_events(name: str) -> bool:
    """Whether an event can have such a field: not one that the cluster keeps of each document for itself, nor an address
    written once more as text (`text_of`), nor a text once more as a number."""
    stem, _, twin = name.rpartition(".")
    return name not in _ITS_OWN and twin != schema.NUMBER and not (twin == "keyword" and kind(stem) == "ip")


def _of_events(name: str, found: Query) -> Query:
    """What asks for a field that no event can have finds nothing, as over Parquet."""
    return found if is_of_events(name) else NOTHING


def _any(parts: list[Query]) -> Query:
    return {"bool": {"should": parts, "minimum_should_match": 1}}


def _exists(name: str) -> Query:
    """Also where the index could not take the value (a long text, a time before 1970, a field beyond the limit)."""
    return _any([{"exists": {"field": text_of(name)}}, _left_out(text_of(name))])


def _left_out(name: str) -> Query:
    """The document has a value that its index does not hold."""
    return {"term": {"_ignored": name}}


def text_of(name: str) -> str:
    """The field that holds the value as text, to be compared without regard to case."""
    return f"{name}.keyword" if kind(name) == "ip" else name


def _is(name: str, value: str, wild: bool) -> Query:
    match kind(name):
        case "keyword" | "ip":
            return _like(text_of(name), value.split("*") if wild else [value])
        case "boolean" if not wild:
            truth = values.truth(value)
            return NOTHING if truth is None else {"term": {name: truth}}
        case "long" | "float" if not wild:
            number = values.finite(value)
            return NOTHING if number is None else {"term": {name: number}}
        case "date" if not wild:
            moment = values.time(name, value)
            return {"term": {name: moment.isoformat()}} if moment >= _EPOCH else NOTHING
    return _pattern(name, value)


def _pattern(name: str, value: str) -> Query:
    """A pattern over what is no text. Raises QueryError where it stands for no ranges."""
    match kind(name):
        case "long":
            ranges = [
                {"range": {name: {"gte": low, "lte": high}}} for low, high in patterns.numbers(name, value)
            ]
            return _any(ranges) if ranges else NOTHING
        case "date":
            first, behind = patterns.moments(name, value)
            return {"bool": {"filter": [since(name, ">=", first), since(name, "<", behind)]}}
    raise patterns.refused(name, value)


def _like(field: str, parts: list[str]) -> Query:
    """The whole text is these parts, in letters of any case, with anything between them."""
    if any(map(casing.has_others, parts)):
        if sum(map(len, parts)) > LONGEST:
            raise QueryError(*TOO_MUCH)
        how: dict[str, Any] = {"value": ".*".join(map(_regexp, parts)), "flags": "NONE"}
        return {"regexp": {field: {**how, "case_insensitive": True}}}
    if len(parts) == 1:
        return {"term": {field: {"value": parts[0], "case_insensitive": True}}}
    return {"wildcard": {field: {"value": "*".join(map(_literal, parts)), "case_insensitive": True}}}


def _literal(text: str) -> str:
    return re.sub(r"([\\*?])", r"\\\1", text)


def _regexp(text: str) -> str:
    """A text as a regular expression of Lucene, each letter beyond ASCII in its cases (ASCII's are the cluster's matter)."""
    return "".join(
        f"[{cases}]"
        if len(cases := casing.forms(sign)) > 1
        else f"\\{sign}"
        if sign in _SIGNS_OF_REGEXP
        else sign
        for sign in text
    )


def _within(name: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Query:
    """In an address field IPv4 addresses lie among those of IPv6, between `_BELOW` and `_ABOVE`: no range of IPv6 means them."""
    if isinstance(network, ipaddress.IPv4Network):
        if kind(name) == "ip":
            return {"term": {name: str(network)}}
        return {"regexp": {name: {"value": addresses.pattern(network), "flags": "NONE"}}}
    first, last = network.network_address, network.broadcast_address
    if last <= _BELOW or first >= _ABOVE:
        return {"term": {name: str(network)}}
    return _any(
        [
            {"range": {name: {"gte": str(first), "lte": str(_BELOW)}}},
            {"range": {name: {"gte": str(_ABOVE), "lte": str(last)}}},
        ]
    )


def _compare(name: str, sign: query.Comparison, value: str) -> Query:
    if kind(name) == "date":
        return since(name, sign, values.time(name, value))
    number = values.number(name, value)
    if kind(name) == "long" and not -(2**63) <= number < 2**63:  # beyond all that such a field takes
        return {"exists": {"field": name}} if (number > 0) == (sign in {"<", "<="}) else NOTHING
    number += 0.0  # -0.0, above which Elasticsearch has 0 lie
    found: Query = {"range": {schema.number_of(name): {twins.SIGNS[sign]: number}}}
    old = twins.before(name, sign, number)
    return _any([found, {"range": {old[0]: old[1]}}]) if old else found


def since(name: str, sign: query.Comparison, moment: datetime) -> Query:
    """A date compared with a moment. Dates with nanoseconds begin in 1970: an older bound is refused, and what is older is in
    the document only."""
    if moment < _EPOCH:
        return {"exists": {"field": name}} if sign in {">", ">="} else NOTHING
    found: Query = {"range": {name: {twins.SIGNS[sign]: moment.isoformat()}}}
    return found if sign in {">", ">="} or name in _EVERY_TIME else _any([found, _left_out(name)])
