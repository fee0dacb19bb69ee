"""OTLP logs over HTTP: the real SDK as the sender, both encodings, and requests that are not as they should be."""

import asyncio
import gzip
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from collectors import catalogue
from collectors.transports import otlp
from tests.collectors import content
from tests.collectors.transports.intake import Running, intake

PROTOBUF = "application/x-protobuf"


def sent(url: str, n: int, service: str = "portal", **more: Any) -> None:
    """So many records of Python's logging, through the SDK's exporter."""
    exporter = OTLPLogExporter(endpoint=f"{url}/v1/logs", compression=Compression.Gzip, timeout=10, **more)
    provider = LoggerProvider(
        resource=Resource({"service.name": service, "host.name": "web01"}), shutdown_on_exit=False
    )
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_export_batch_size=64))
    logger = logging.Logger("city.portal")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for i in range(n):
        logger.warning("サインイン %d", i, extra={"user.name": "t.yamada"})
    provider.force_flush()
    provider.shutdown()


def run(folder: Path, body: Callable[[Running, str], Awaitable[None]], **listener: Any) -> None:
    async def main() -> None:
        async with intake(folder, http={"kind": "http", **listener}) as running:
            await body(running, f"http://127.0.0.1:{running.port('http')}")

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_sdk_sends_numbered_records_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 records of the OpenTelemetry SDK, packed, with a token: each once, in order, read into ECS."""
    monkeypatch.setenv("OTLP_TOKEN", "geheim-geheim")

    async def body(running: Running, url: str) -> None:
        await asyncio.to_thread(sent, url, 200, headers={"authorization": "Bearer geheim-geheim"})
        rows = await running.until_spooled(200)
        frames = (
            catalogue.find("otel.log")
            .parse(content.intake(*(row["payload"].decode() for row in rows)))
            .frames
        )
        (frame,) = frames
        assert frame["message"].to_list() == [f"サインイン {i}" for i in range(200)]
        assert set(frame["user.name"]) == {"t.yamada"} and set(frame["service.name"]) == {"portal"}
        assert set(frame["log.level"]) == {"warn"} and frame["@timestamp"].null_count() == 0
        assert len({row["event.id"] for row in rows}) == 200

    run(tmp_path, body, token="env:OTLP_TOKEN")


def test_a_service_is_an_origin_and_its_lines_may_be_original(tmp_path: Path) -> None:
    """A record goes under its service's name where that is declared; with a format of its own the line is the body."""

    async def body(running: Running, url: str) -> None:
        record = {"timeUnixNano": "1795857052000000000", "body": {"stringValue": "<13>raw\nline"}}
        attributes = [{"key": "service.name", "value": {"stringValue": "fw"}}]
        resource = {"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": [record]}]}
        other = {"scopeLogs": [{"logRecords": [{**record, "severityNumber": 9}, "no record"]}]}
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{url}/v1/logs", json={"resourceLogs": [resource, other]})
        assert answer.json() == {
            "partialSuccess": {
                "rejectedLogRecords": "1",
                "errorMessage": "some records are not as OTLP says; they were left out",
            }
        }
        assert running.payloads("fw") == [b"<13>raw line"]
        assert json.loads(running.payloads("http")[0])["severity_number"] == 9
        assert running.counted("dropped", "not_otlp", "http") == 1

    run(tmp_path, body, senders={"fw": {"source": "fortinet.fortigate"}})


def test_refused_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token, another encoding, a body that is none, one that is too large packed or unpacked: each its own status."""
    monkeypatch.setenv("OTLP_TOKEN", "geheim-geheim")

    async def body(running: Running, url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as client:

            async def status(data: bytes, **headers: str) -> int:
                token = {"Authorization": "Bearer geheim-geheim", "Content-Type": PROTOBUF}
                given = {name.replace("_", "-"): value for name, value in headers.items()}
                return (await client.post("/v1/logs", content=data, headers={**token, **given})).status_code

            assert await status(b"", Authorization="Bearer wrong") == 401
            assert await status(b"x", Content_Type="text/plain") == 415
            assert await status(b"\xff\xff") == 400
            assert await status(b"[1]", Content_Type="application/json") == 400
            assert await status(b"{", Content_Type="application/json; charset=utf-8") == 400
            assert await status(b"\0" * 70_000) == 413
            assert await status(gzip.compress(b"\0" * 70_000), Content_Encoding="gzip") == 413
            answer = await client.post(
                "/v1/logs",
                content=b"",
                headers={"Authorization": "Bearer geheim-geheim", "Content-Type": PROTOBUF},
            )
            assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
            assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()
        assert not running.spooled()

    run(tmp_path, body, token="env:OTLP_TOKEN", max_body=65_536)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_full_spool_makes_the_sdk_send_again(tmp_path: Path) -> None:
    """429 while the spool is full; the SDK waits and sends again, so that nothing is missing once there is room."""

    async def main() -> None:
        async with intake(tmp_path, http={"kind": "http"}) as running:
            most, running.spool.max_bytes = running.spool.max_bytes, 0
            sender = threading.Thread(target=sent, args=(f"http://127.0.0.1:{running.port('http')}", 20))
            sender.start()
            await running.until(lambda: running.errors("http")["spool_full"])
            running.spool.max_bytes = most
            await running.until_spooled(20)
            await asyncio.to_thread(sender.join)
            assert len(running.spooled()) == 20

    asyncio.run(main())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "key",
                    "value",
                    "values",
                    "stringValue",
                    "arrayValue",
                    "kvlistValue",
                    "intValue",
                    "logRecords",
                    "scopeLogs",
                    "resource",
                    "attributes",
                    "body",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(VALUES, st.binary(max_size=200))
def test_hostile_requests(value: Any, data: bytes) -> None:
    """Any JSON, any bytes: records that can be written as lines, or NotOtlp; the source reads or rejects each."""
    lines: list[bytes] = []
    wrapped = {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [value, {"body": value, "attributes": value}]}]}]
    }
    for body, encoding in (
        (json.dumps(wrapped).encode(), "application/json"),
        (json.dumps(value).encode(), "application/json"),
        (data, PROTOBUF),
    ):
        try:
            lines += [
                otlp.line(record, source)
                for record in otlp.read(body, encoding).records
                for source in ("auto", "x.y")
            ]
        except otlp.NotOtlp:
            continue
    catalogue.find("otel.log").parse(content.intake(*(line.decode() for line in lines), "{}"))


def test_both_encodings_say_the_same() -> None:
    """The same record as protobuf and as JSON becomes the same line."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.time_unix_nano, record.severity_number, record.trace_id = (
        1_795_857_052_000_000_001,
        9,
        bytes(range(16)),
    )
    record.body.kvlist_value.values.add(key="a").value.array_value.values.add().int_value = -(2**63)
    record.attributes.add(key="b").value.bytes_value = b"\0\1"
    body = {
        "kvlistValue": {
            "values": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": str(-(2**63))}]}}}]
        }
    }
    as_json = {
        "timeUnixNano": "1795857052000000001",
        "severityNumber": 9,
        "traceId": bytes(range(16)).hex(),
        "body": body,
    }
    as_json["attributes"] = [{"key": "b", "value": {"bytesValue": "AAE="}}]
    text = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [as_json]}]}]}).encode()
    one, other = (
        otlp.read(data, form).records
        for data, form in ((request.SerializeToString(), PROTOBUF), (text, "application/json"))
    )
    assert one == other
