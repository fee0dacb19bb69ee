"""Raw messages to ECS documents: the path of `hinomi parse`, to check or try a source."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import polars as pl

from collectors.source import ROW, Source
from hinomi import ecs
from hinomi.errors import InputError, Where

_CHUNK = 10_000


def parse_messages(source: Source, path: Path, out: BinaryIO) -> None:
    """One nested ECS document a line for each line `{"message": raw}` of the file; `{}` where not understood.

    Raises InputError naming the line that is no such object.
    """
    try:
        lines = path.open("rb")
    except OSError as error:
        raise InputError(
            f"ファイルを読めません({error.strerror})。",
            f"cannot be read: {error.strerror}",
            where=Where(path),
        ) from error
    with lines:
        numbered = enumerate(lines, start=1)
        while chunk := list(islice(numbered, _CHUNK)):
            messages = [_message(path, number, line) for number, line in chunk if line.strip()]
            for document in documents(source, messages):
                out.write(orjson.dumps(document, default=str) + b"\n")


def documents(source: Source, messages: list[str]) -> list[dict[str, Any]]:
    """An ECS document a message, in order; empty for a message that the source does not understand."""
    received = datetime.now(UTC)
    intake = pl.DataFrame(
        {"message": messages, "peer": [""] * len(messages)}, schema={"message": pl.String, "peer": pl.String}
    ).with_columns(pl.lit(received).cast(ecs.TIME).alias("received"))
    found: list[dict[str, Any]] = [{} for _ in messages]
    for frame in source.parse(intake).frames:
        for row, document in _rows(frame):
            found[row] = document
    return found


def _rows(frame: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    return zip(frame[ROW].to_list(), ecs.documents(frame.drop(ROW)), strict=True)


def _message(path: Path, number: int, line: bytes) -> str:
    try:
        message = json.loads(line)["message"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _not_a_message(path, number) from error
    if not isinstance(message, str):
        raise _not_a_message(path, number)
    return message.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text


def _not_a_message(path: Path, number: int) -> InputError:
    return InputError(
        '{"message": 生ログ} の形ではありません。',
        'expected a JSON object {"message": raw}',
        where=Where(path, number),
    )
