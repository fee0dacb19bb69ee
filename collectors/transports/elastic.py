"""The part of Elasticsearch's API that log shippers use, in front of the spool.

Templates, policies and pipelines that shippers install are accepted and have no effect: events are given
their fields by Hinomi's own sources.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import orjson

from collectors.settings import Origin
from collectors.transports import bulk, otlp
from collectors.transports.exchange import Body, Refusal, Request, Response, error_response
from collectors.transports.inlet import Inlet
from collectors.transports.tokens import CurrentTokens, Grant
from hinomi.errors import SpoolFull, StoreError

VERSION = "8.17.0"  # what shippers are told; Filebeat and Winlogbeat 8 ask for 8 or newer
_RETRY = (("Retry-After", "2"),)
_INFO = orjson.dumps(
    {
        "name": "hinomi",
        "cluster_name": "hinomi",
        "cluster_uuid": "hinomi",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }
)
_LICENSE = orjson.dumps({"license": {"status": "active", "uid": "hinomi", "type": "basic", "mode": "basic"}})
_XPACK = orjson.dumps(
    {
        "build": {},
        "license": {"mode": "basic", "status": "active"},
        "features": {"ilm": {"available": False, "enabled": False}},
    }
)
_HEALTH = orjson.dumps(
    {"cluster_name": "hinomi", "status": "green", "timed_out": False, "number_of_nodes": 1}
)
_ANSWERS: dict[str, bytes] = {
    "": _INFO,
    "_license": _LICENSE,
    "_xpack": _XPACK,
    "_cluster": _HEALTH,
    "_cat": b"[]",
}
_INSTALLED = frozenset(
    {"_index_template", "_template", "_component_template", "_ilm", "_data_stream", "_ingest", "_alias"}
)


@dataclass(frozen=True, slots=True)
class ElasticIntake:
    """Handles the requests of one HTTP listener."""

    tokens: CurrentTokens
    inlets: Mapping[str, Inlet]
    errors: Inlet
    origins: Mapping[str, Origin] = field(default_factory=dict)

    async def handle(self, request: Request, body: Body) -> Response:
        """Answer one request; a body is read only for who may send."""
        grant = self.tokens.grant(request.headers.get(b"authorization", b""))
        if grant is None:
            self.errors.health.errors["unauthorised"] += 1
            challenge = (("WWW-Authenticate", 'Basic realm="hinomi"'),)
            return error_response(401, "security_exception", "a valid token is required", headers=challenge)
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        try:
            return await self._route(request, parts, grant, body)
        except SpoolFull:
            self.errors.health.errors["spool_full"] += 1
            reason = "the spool is full; send again"
            return error_response(429, "es_rejected_execution_exception", reason, headers=_RETRY)
        except StoreError:
            self.errors.health.errors["spool_error"] += 1
            reason = "the spool cannot be written; send again"
            return error_response(503, "unavailable_shards_exception", reason, headers=_RETRY)
        except Refusal as refusal:
            self.errors.health.errors[f"http_{refusal.status}"] += 1
            raise

    async def _route(self, request: Request, parts: list[str], grant: Grant, body: Body) -> Response:
        sends = request.method in {"POST", "PUT"}
        match parts:
            case ["v1", "logs"] if sends:
                return await self._otlp(request, grant, body)
            case ["_bulk"] if sends:
                return await self._bulk(request, "", grant, await body())
            case [index, "_bulk"] if sends:
                return await self._bulk(request, index, grant, await body())
            case ["ingest", name] if sends:
                return await self._lines(request, name, grant, await body())
            case [index, "_doc" | "_create", *rest] if sends and len(rest) <= 1:
                return await self._document(request, index, rest[0] if rest else "", grant, await body())
        if sends:
            await body()
            return Response(200, b'{"acknowledged":true}')
        return _probe(request, parts)

    async def _bulk(self, request: Request, index: str, grant: Grant, body: bytes) -> Response:
        began = time.monotonic()
        try:
            found = bulk.read(body, index)
        except bulk.BadBulk as error:
            raise Refusal(400, str(error)) from None
        ids = await self._spool(request.peer, grant, found) if found.documents else []
        took = round((time.monotonic() - began) * 1000)
        return Response(200, bulk.answer(found.actions, ids, took))

    async def _spool(self, peer: str, grant: Grant, found: bulk.Bulk) -> list[str]:
        """Spool a request's documents; the ids that they now have, in order."""
        taken = found.taken()
        origins = [grant.origin(action.index) for action in taken]
        ids = [""] * len(taken)
        for origin in dict.fromkeys(origins):
            rows = [row for row, name in enumerate(origins) if name == origin]
            own = [taken[row].id for row in rows]
            documents = [found.documents[row] for row in rows]
            receipt = await self.inlets[origin].offer(peer, documents, own if any(own) else None)
            for i, row in enumerate(rows):
                ids[row] = own[i] or receipt.event_id(i)
        return ids

    async def _document(self, request: Request, index: str, name: str, grant: Grant, body: bytes) -> Response:
        document = body.replace(b"\r", b" ").replace(b"\n", b" ").strip()  # JSON text has no bare line ends
        if not document:
            raise Refusal(400, "request body is required")
        found = bulk.Bulk([bulk.Action("create", index, name)], [document])
        (event_id,) = await self._spool(request.peer, grant, found)
        told = {"_index": index, "_id": event_id, "_version": 1, "result": "created"}
        return Response(201, orjson.dumps(told))

    async def _otlp(self, request: Request, grant: Grant, body: Body) -> Response:
        """Spool a request's log records, each under its service's name where that is an origin of ours."""
        encoding = otlp.form(request.headers.get(b"content-type", b""))
        if encoding is None:
            raise Refusal(415, "send application/x-protobuf or application/json")
        try:
            logs = otlp.read(await body(), encoding)
        except otlp.NotOtlp as error:
            raise Refusal(400, str(error)) from None
        by_origin: dict[str, list[bytes]] = {}
        for record in logs.records:
            origin = grant.origin(otlp.service(record))
            known = self.origins.get(origin)
            by_origin.setdefault(origin, []).append(otlp.line(record, known.source if known else "auto"))
        self.errors.lost(logs.refused, "not_otlp")
        for origin, lines in by_origin.items():
            await self.inlets[origin].offer(request.peer, lines)
        return Response(200, otlp.answer(encoding, logs.refused), content_type=encoding)

    async def _lines(self, request: Request, name: str, grant: Grant, body: bytes) -> Response:
        if name not in grant.origins:
            raise Refusal(404, "this token may not send to that name")
        lines = [line for line in (part.rstrip(b"\r") for part in body.split(b"\n")) if line]
        if lines:
            await self.inlets[name].offer(request.peer, lines)
        return Response(200, orjson.dumps({"accepted": len(lines)}))


def _probe(request: Request, parts: list[str]) -> Response:
    """What a shipper asks before it sends."""
    if request.method not in {"GET", "HEAD"}:
        return error_response(405, "method_not_allowed_exception", "use GET, HEAD, POST or PUT")
    if parts[0] in _ANSWERS and (parts[0] or len(parts) == 1):
        return Response(200, _ANSWERS[parts[0]])
    if parts[0] in _INSTALLED or (request.method == "HEAD" and len(parts) == 1):
        return Response(200, b"{}")
    return error_response(404, "resource_not_found_exception", "there is nothing here to read")
