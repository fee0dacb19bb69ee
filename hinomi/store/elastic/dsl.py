"""The search language as Elasticsearch's query DSL: the same meaning as over Parquet."""

import ipaddress
import re
from datetime import UTC, datetime
from typing import Any

from hinomi import ecs, query
from hinomi.errors import QueryError
from hinomi.store import patterns, values

Query = dict[str, Any]
NOTHING: Query = {"match_none": {}}
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_MAPPED, _EVERY_V4 = ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv4Network("0.0.0.0/0")
_LINES = ("event.original", "message")
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
            return {"bool": {"should": [of(part) for part in parts], "minimum_should_match": 1}}
        case query.Not(part):
            return {"bool": {"must_not": [of(part)]}}
        case query.Text(value):
            found = [_wild(name, f"*{_literal(value)}*") for name in _LINES]
            return {"bool": {"should": found, "minimum_should_match": 1}}
        case query.Exists(name):
            return _of_events(name, {"exists": {"field": name}})
        case query.Is(name, value, wild):
            return _of_events(name, _is(name, value, wild))
        case query.Within(name, network):
            return _of_events(name, _within(name, network))
        case query.Compare(name, sign, value):
            return _of_events(name, _compare(name, sign, value))


def is_of_events(name: str) -> bool:
    """Whether an event can have such a field: not one that the cluster keeps of each document for itself, nor an address
    written once more as text (`text_of`)."""
    stem, _, twin = name.rpartition(".")
    return name not in _ITS_OWN and not (twin == "keyword" and kind(stem) == "ip")


def _of_events(name: str, found: Query) -> Query:
    """What asks for a field that no event can have finds nothing, as over Parquet."""
    return found if is_of_events(name) else NOTHING


def kind(name: str) -> str:
    """A field's kind: as ECS says, `keyword` for all that ECS does not know."""
    field = ecs.fields().get(name)
    return field.kind if field is not None else "keyword"


def text_of(name: str) -> str:
    """The field that holds the value as text, to be compared without regard to case."""
    return f"{name}.keyword" if kind(name) == "ip" else name


def _is(name: str, value: str, wild: bool) -> Query:
    match kind(name):
        case "keyword" | "ip":
            field = text_of(name)
            if wild:
                return _wild(field, "*".join(_literal(part) for part in value.split("*")))
            return {"term": {field: {"value": value, "case_insensitive": True}}}
        case "boolean" if not wild:
            return {"term": {name: value.lower() in {"true", "1", "yes"}}}
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
            return {"bool": {"should": ranges, "minimum_should_match": 1}} if ranges else NOTHING
        case "date":
            first, behind = patterns.moments(name, value)
            return {"bool": {"filter": [since(name, ">=", first), since(name, "<", behind)]}}
    raise patterns.refused(name, value)


def _wild(field: str, value: str) -> Query:
    return {"wildcard": {field: {"value": value, "case_insensitive": True}}}


def _literal(text: str) -> str:
    return re.sub(r"([\\*?])", r"\\\1", text)


def _within(name: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Query:
    if kind(name) == "ip":
        inside: Query = {"term": {name: str(network)}}
        if network.version == 6 and _MAPPED.subnet_of(network):  # the index holds IPv4 addresses there
            return {"bool": {"filter": [inside], "must_not": [{"term": {name: str(_EVERY_V4)}}]}}
        return inside
    if network.version == 6:
        raise QueryError(
            f"{name} はアドレスの項目ではないので、IPv6 の範囲では探せません。前方一致(例: 2001:db8:*)で書いてください。",
            f"{name} is no address field; write a prefix such as 2001:db8:* instead of an IPv6 range",
        )
    return {
        "bool": {"should": [_octets(name, part) for part in _aligned(network)], "minimum_should_match": 1}
    }


def _aligned(network: ipaddress.IPv4Network) -> list[ipaddress.IPv4Network]:
    """The network as networks that end with an octet."""
    return list(network.subnets(new_prefix=-(-network.prefixlen // 8) * 8))


def _octets(name: str, network: ipaddress.IPv4Network) -> Query:
    kept = network.prefixlen // 8
    octets = str(network.network_address).split(".")[:kept]
    if kept == 4:
        return {"term": {name: ".".join(octets)}}
    return {"prefix": {name: "".join(f"{octet}." for octet in octets)}}


def _compare(name: str, sign: query.Comparison, value: str) -> Query:
    if kind(name) == "date":
        return since(name, sign, values.time(name, value))
    number = values.number(name, value)
    if kind(name) == "long" and not -(2**63) <= number < 2**63:  # beyond all that such a field takes
        return {"exists": {"field": name}} if (number > 0) == (sign in {"<", "<="}) else NOTHING
    field = name if kind(name) in {"long", "float"} else f"{name}.number"
    return {"range": {field: {_SIGNS[sign]: number}}}


def since(name: str, sign: query.Comparison, moment: datetime) -> Query:
    """A date compared with a moment. Dates with nanoseconds begin in 1970, and an older bound is refused."""
    if moment >= _EPOCH:
        return {"range": {name: {_SIGNS[sign]: moment.isoformat()}}}
    return {"exists": {"field": name}} if sign in {">", ">="} else NOTHING
