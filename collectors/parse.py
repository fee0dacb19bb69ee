"""Raw messages to ECS documents: the path of `hinomi parse`, to check or try a source."""

import codecs
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import polars as pl

from collectors.continued import Carry
from collectors.source import ROW, Source
from hinomi import ecs
from hinomi.errors import InputError, Where
from hinomi.named import reading

_CHUNK = 10_000


def parse_messages(source: Source, path: Path, out: BinaryIO, tell: Callable[[InputError], None]) -> None:
    """One nested ECS document a line for each line `{"message": raw}` of the file; `{}` where not understood.

    A line that is no such object is `{}`, too, and told with its number; the lines after it are read all the
    same. Blank lines are none. Raises InputError for a file that cannot be read.
    """
    with reading(path):
        lines = path.open("rb")
    with lines:
        numbered, carry = enumerate(lines, start=1), Carry()
        while chunk := list(islice(numbered, _CHUNK)):
            messages = [_message(path, number, line, tell) for number, line in chunk if line.strip()]
            for document in documents(source, messages, carry):
                out.write(orjson.dumps(document, default=str) + b"\n")


def documents(source: Source, messages: list[str], carry: Carry | None = None) -> list[dict[str, Any]]:
    """An ECS document a message, in order; empty for a message that the source does not understand. carry: what came before."""
    received = datetime.now(UTC)
    intake = pl.DataFrame(
        {"message": messages, "peer": [""] * len(messages)}, schema={"message": pl.String, "peer": pl.String}
    ).with_columns(pl.lit(received).cast(ecs.TIME).alias("received"))
    parsed = (carry or Carry()).parse(source, intake.with_row_index(ROW))
    found: list[dict[str, Any]] = [{} for _ in messages]
    for frame in parsed.frames:
        for row, document in _rows(frame):
            found[row] = document
    return found


def _rows(frame: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    return zip(frame[ROW].to_list(), ecs.documents(frame.drop(ROW)), strict=True)


def _message(path: Path, number: int, line: bytes, tell: Callable[[InputError], None]) -> str:
    """The raw message of one line; an empty one, which no source understands, where the line holds none."""
    try:
        message = json.loads(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = None
    if isinstance(message, str):
        return message.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text
    ja, en = '{"message": 生ログ} の形ではありません。', 'expected a JSON object {"message": raw}'
    tell(InputError(ja, en, where=Where(path, number)))
    return ""
