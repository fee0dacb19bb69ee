"""OTLP logs over HTTP: `POST /v1/logs` as protobuf or JSON, one line a log record.

Source: OpenTelemetry, "OTLP Specification 1.x" (HTTP, partial success, failures) and "Logs Data Model". A record becomes one
JSON object that the source `otel.log` reads. Where the origin's `source` names another format, the line is the original one
(`log.record.original`, else the body), so that what a collector read from a file is parsed as what it is.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

SOURCE = "otel.log"
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_DEEPEST = 32
_INTEGER = re.compile(r"-?\d{1,19}")
Record = dict[str, Any]


class NotOtlp(Exception):
    """A body that is no such request."""


@dataclass(frozen=True, slots=True)
class Logs:
    """The records of a request, in order, with the service that sent each; refused: how many could not be read."""

    records: list[Record]
    refused: int = 0


def form(content_type: bytes) -> str | None:
    """The encoding of a request, None for one that OTLP does not have."""
    named = content_type.partition(b";")[0].strip().lower().decode("latin-1")
    return named if named in {_PROTOBUF, _JSON} else None


def read(body: bytes, encoding: str) -> Logs:
    """The log records of a request. Raises NotOtlp."""
    if encoding == _PROTOBUF:
        request = ExportLogsServiceRequest()
        try:
            request.ParseFromString(body)
        except (DecodeError, RecursionError):
            raise NotOtlp("the body is no ExportLogsServiceRequest") from None
        return Logs(list(_of_protobuf(request)))
    try:
        return _of_json(orjson.loads(body))
    except (orjson.JSONDecodeError, RecursionError):
        raise NotOtlp("the body is not JSON") from None


def answer(encoding: str, refused: int) -> bytes:
    """The response of a success, partial where some records could not be read."""
    reason = "some records are not as OTLP says; they were left out" if refused else ""
    if encoding == _PROTOBUF:
        response = ExportLogsServiceResponse()
        if refused:
            response.partial_success.rejected_log_records = refused
            response.partial_success.error_message = reason
        return bytes(response.SerializeToString())
    told = {"partialSuccess": {"rejectedLogRecords": str(refused), "errorMessage": reason}} if refused else {}
    return orjson.dumps(told)


def line(record: Record, source: str) -> bytes:
    """What is spooled of a record for an origin whose lines are of this format."""
    original = record["attributes"].get("log.record.original")
    text = original if isinstance(original, str) else record["body"]
    if source not in {SOURCE, "auto"} and text is not None:
        plain = text if isinstance(text, str) else orjson.dumps(text, default=str).decode()
        return plain.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
    try:
        return orjson.dumps(record)
    except TypeError:  # half a surrogate pair, or a number that JSON text of 64 bits cannot hold
        return orjson.dumps(_plain(record))


def service(record: Record) -> str | None:
    """The service that a record is from: the name of its origin, where there is one."""
    name = record["resource"].get("service.name")
    return name if isinstance(name, str) else None


def _of_protobuf(request: Message) -> Iterator[Record]:
    for resource in request.resource_logs:
        about = _attributes(resource.resource.attributes)
        for scope in resource.scope_logs:
            for one in scope.log_records:
                yield {
                    "time": one.time_unix_nano or one.observed_time_unix_nano,
                    "severity_number": int(one.severity_number),
                    "severity_text": one.severity_text,
                    "body": _value(one.body),
                    "trace_id": one.trace_id.hex(),
                    "span_id": one.span_id.hex(),
                    "event_name": one.event_name,
                    "scope": scope.scope.name,
                    "attributes": _attributes(one.attributes),
                    "resource": about,
                }


def _attributes(pairs: Iterable[Any]) -> Record:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any, depth: int = 0) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > _DEEPEST:
        return None
    if kind == "array_value":
        return [_value(one, depth + 1) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    found = getattr(value, kind)
    return base64.b64encode(found).decode() if isinstance(found, bytes) else found


def _of_json(request: Any) -> Logs:
    """OTLP's JSON: 64-bit numbers as text, ids in hex, names in lowerCamelCase."""
    records: list[Record] = []
    refused = 0
    for resource in _list(request, "resourceLogs"):
        about = _json_attributes(_mapping(resource, "resource"))
        for scope in _list(resource, "scopeLogs"):
            for one in _list(scope, "logRecords"):
                if not isinstance(one, Mapping):
                    refused += 1
                    continue
                records.append(
                    {
                        "time": _integer(one.get("timeUnixNano"))
                        or _integer(one.get("observedTimeUnixNano")),
                        "severity_number": _integer(one.get("severityNumber")),
                        "severity_text": str(one.get("severityText") or ""),
                        "body": _json_value(one.get("body")),
                        "trace_id": str(one.get("traceId") or ""),
                        "span_id": str(one.get("spanId") or ""),
                        "event_name": str(one.get("eventName") or ""),
                        "scope": str(_mapping(scope, "scope").get("name") or ""),
                        "attributes": _json_attributes(one),
                        "resource": about,
                    }
                )
    return Logs(records, refused)


def _list(value: Any, key: str) -> list[Any]:
    if not isinstance(value, Mapping):
        raise NotOtlp("the body is no ExportLogsServiceRequest")
    found = value.get(key) or []
    if not isinstance(found, list):
        raise NotOtlp(f"{key} is no list")
    return found


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _json_attributes(value: Mapping[str, Any]) -> Record:
    pairs = value.get("attributes")
    given = pairs if isinstance(pairs, list) else []
    return {
        str(one["key"]): _json_value(one.get("value"))
        for one in given
        if isinstance(one, Mapping) and "key" in one
    }


def _json_value(value: Any, depth: int = 0) -> Any:
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    for kind, found in value.items():
        if kind == "arrayValue":
            return [_json_value(one, depth + 1) for one in _list(found, "values")]
        if kind == "kvlistValue":
            pairs = [one for one in _list(found, "values") if isinstance(one, Mapping)]
            return {str(one.get("key")): _json_value(one.get("value"), depth + 1) for one in pairs}
        if kind == "intValue":
            return _integer(found)
        if kind in {"stringValue", "boolValue", "doubleValue", "bytesValue"}:
            return found
    return None


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    return int(value) if isinstance(value, int) or _INTEGER.fullmatch(value) else 0


def _plain(value: Any) -> Any:
    """The same with every text and number as JSON can hold it."""
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if isinstance(value, float | bool) or value is None else str(value)
