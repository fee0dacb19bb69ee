"""The records of one object that an AWS service wrote into a bucket, read as it streams in.

Facts: AWS, "CloudTrail log file examples" (gzip, `{"Records": […]}`), "Flow log records in S3" (gzip, a header line that
names the fields), "WAF logging to S3" and "Exporting GuardDuty findings" (gzip, a JSON document a line), "Access log files" of Elastic Load
Balancing (gzip, or plain of a Classic Load Balancer, a line each). Flow logs in Parquet name their columns as the header
does, with `_` for `-`.
"""

import gzip
import io
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson

from collectors import json_stream
from hinomi.identity import digest

_LONGEST = 16 << 20
_MOST_UNPACKED = 8 << 30
_MOST_COLUMNS = 1 << 30
"""Bytes of a Parquet object: AWS writes flow logs of 75 MB at most."""
_PORTION_BYTES = 2 << 20
_PORTION = 2_000
_FLOW_HEADER = re.compile(rb"[a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)+\r?\n")
_FLOW_DEFAULT = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
"""The fields that the source reads by position; others are told by their names."""


class Unreadable(Exception):
    """The object is broken, or of a kind that is not read; the first argument is a short English key."""

    @property
    def reason(self) -> str:
        """The key."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records of an object and the identity of each."""

    payloads: list[bytes]
    ids: list[str]


def portions(body: IO[bytes], identity: str) -> Iterator[Portion]:
    """The records of an object, some at a time. identity: of the object and its content. Raises Unreadable, after what
    stands before the break was given."""
    payloads, ids, size = list[bytes](), list[str](), 0
    records, broken = enumerate(_records(body)), None
    while broken is None:
        try:
            number, (payload, own) = next(records)
        except StopIteration:
            break
        except Unreadable as error:
            broken = error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            broken = Unreadable("broken_gzip", error)
        except json_stream.Broken as error:
            broken = Unreadable(str(error), error)
        else:
            payloads.append(payload)
            ids.append(own or digest(identity, str(number)))
            size += len(payload)
        if size > _PORTION_BYTES or len(payloads) >= _PORTION:
            yield Portion(payloads, ids)
            payloads, ids, size = [], [], 0
    if payloads:
        yield Portion(payloads, ids)
    if broken is not None:
        raise broken


def _records(body: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    file = _opened(body)
    start = file.peek(4096)[:4096]
    if start.startswith(b"PAR1"):
        yield from ((line, "") for line in _rows(file))
    elif json_stream.OPENING.match(start):
        for text, value in json_stream.records(file):
            yield " ".join(text.splitlines()).encode(), _own_id(value)
    elif _FLOW_HEADER.match(start):
        yield from ((line, "") for line in _flows(file))
    else:
        yield from ((line, "") for line in _lines(file))


def _opened(body: IO[bytes]) -> "io.BufferedReader[Any]":
    plain: io.BufferedReader[Any] = io.BufferedReader(_Raw(body), 1 << 16)
    if plain.peek(2)[:2] != b"\x1f\x8b":
        return plain
    unpacked: Any = gzip.GzipFile(fileobj=plain)  # which reads like any binary file
    return io.BufferedReader(_Raw(unpacked), 1 << 16)


def _own_id(record: Any) -> str:
    """CloudTrail's: the same event delivered by two trails is one, but each account of a shared event has its own."""
    if not isinstance(record, dict) or not isinstance(record.get("eventID"), str):
        return ""
    return digest("cloudtrail", record["eventID"], str(record.get("recipientAccountId")))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST):
        if text := line.rstrip(b"\r\n"):
            yield text


def _flows(file: IO[bytes]) -> Iterator[bytes]:
    """Lines of the default fields as they are; of a custom format as JSON with AWS's names."""
    lines = _lines(file)
    names = next(lines).decode("utf-8", "replace").split()
    if " ".join(names) == _FLOW_DEFAULT:
        yield from lines
        return
    for line in lines:
        values = line.decode("utf-8", "replace").split(" ")
        named = dict(zip(names, values, strict=False))
        yield orjson.dumps(named) if len(values) == len(names) else line


def _rows(file: IO[bytes]) -> Iterator[bytes]:
    """Rows of Parquet as JSON with its column names. Its index stands at the end, so the object lies on disk meanwhile."""
    import polars as pl
    from pyarrow import ArrowException, parquet

    with tempfile.TemporaryFile() as place:
        while piece := file.read(1 << 20):
            if place.tell() > _MOST_COLUMNS:
                raise Unreadable("parquet_too_large")
            place.write(piece)
        try:
            for batch in parquet.ParquetFile(place).iter_batches(_PORTION):
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield from frame.write_ndjson().encode().split(b"\n")[:-1]
        except (ArrowException, pl.exceptions.PolarsError, OSError) as error:
            raise Unreadable("broken_parquet", error) from error


class _Raw(io.RawIOBase):
    """A body that only has `read`, as `io` wants it; a bomb ends it."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body, self._left = body, _MOST_UNPACKED

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one read goes."""
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable("unpacks_to_too_much")
        return len(data)
