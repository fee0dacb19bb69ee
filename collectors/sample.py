"""A sample file of an unknown log: its encoding, its form, its columns and some of their values."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import orjson
import polars as pl

from collectors import file_records
from collectors.decode import decode
from collectors.shapes import cef, key_value
from hinomi import ecs
from hinomi.errors import InputError, Where
from hinomi.ledger import Ledger
from hinomi.named import reading

MOST_BYTES = 2_000_000
MOST_LINES = 2_000
MOST_WHOLE = 64 * 1024 * 1024
"""Bytes of a sample that has to be read as one (an array, an export)."""
_DELIMITERS = (",", "\t", ";", "|")
_ENCODINGS = ("utf-8", "cp932", "euc-jp")
_PAIR = re.compile(r'(?:^|[\s,])[A-Za-z_][\w.\-]*=(?:"[^"]*"|[^\s"]+)')
Form = Literal["csv", "json", "key_value", "cef"]


@dataclass(frozen=True, slots=True)
class Sample:
    """form: as a declaration names it; columns: name → its values (texts, at most `MOST_LINES`), in the file's order.

    delimiter, header: of CSV; encoding: as a declaration names it; lines: the text, without the header line.
    """

    form: Form
    encoding: str
    columns: dict[str, list[str]]
    lines: list[str]
    delimiter: str = ","
    header: bool = True


def read(path: Path) -> Sample:
    """What the beginning of a file tells. Raises InputError for a file that is no text or has no form we know."""
    lines, encoding = _lines(path)
    if not lines:
        raise InputError("ファイルが空です。", "the file is empty", where=Where(path))
    form = _form(lines)
    if form == "json":
        return Sample("json", encoding, _json_columns(lines), lines)
    if form in {"cef", "key_value"}:
        return Sample(form, encoding, _pair_columns(lines, form), lines)
    try:
        return _table(lines, encoding, path)
    except csv.Error as error:
        raise InputError(
            f"CSV として読めません({error})。一つの値は {csv.field_size_limit():,} 字までです。",
            f"cannot be read as CSV: {error}; a value has {csv.field_size_limit():,} characters at most",
            where=Where(path),
        ) from error


def _lines(path: Path) -> tuple[list[str], str]:
    """The first records of a file, as the `folder` transport would hand them on, and their encoding."""
    with reading(path):
        if file_records.holds_many(start := file_records.head(path)):
            if path.stat().st_size > MOST_WHOLE:
                raise InputError(
                    f"見本が大きすぎます({MOST_WHOLE >> 20} MiB まで)。",
                    f"the sample is larger than {MOST_WHOLE >> 20} MiB",
                    where=Where(path),
                )
            if b"\0" not in start:
                found = islice(file_records.records(path), MOST_LINES)
                return [" ".join(text.splitlines()) for _, text in found], "utf-8"
    text, encoding = _text(path)
    return [line for line in text.splitlines() if line.strip()][:MOST_LINES], encoding


def _text(path: Path) -> tuple[str, str]:
    with reading(path), path.open("rb") as file:
        data = file.read(MOST_BYTES)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "utf-8"  # a folder transport turns it into UTF-8
    if b"\0" in data:
        raise InputError("テキストではありません。", "the file is no text", where=Where(path))
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    whole = lines[:-1] if len(data) == MOST_BYTES and len(lines) > 1 else lines  # the last one is cut
    read = decode(pl.Series(whole, dtype=pl.Binary), "", Ledger(), origin=path.name)
    text = "\n".join(read.to_list())
    return text, _encoding(b"\n".join(whole), text)


def _encoding(data: bytes, text: str) -> str:
    """The name of the encoding in which the text would be these bytes."""
    for name in _ENCODINGS:
        try:
            if text.encode(name) == data:
                return name
        except UnicodeEncodeError:
            continue
    return "auto"


def _form(lines: list[str]) -> Form:
    head = lines[:200]
    most = len(head) / 2

    def many(fits: Counter[bool]) -> bool:
        return fits[True] > most

    if many(Counter(_object(line) is not None for line in head)):
        return "json"
    if many(Counter(bool(re.search(r"CEF:\s?\d+\|", line)) for line in head)):
        return "cef"
    if many(Counter(len(_PAIR.findall(line)) >= 3 for line in head)):
        return "key_value"
    return "csv"


def _object(line: str) -> dict[str, object] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _json_columns(lines: list[str]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for document in filter(None, map(_object, lines)):
        for name, value in ecs.flatten(document):
            written = value if isinstance(value, str) else orjson.dumps(value).decode()
            columns.setdefault(name, []).append(written)
    return columns


def _pair_columns(lines: list[str], form: Form) -> dict[str, list[str]]:
    shape = cef() if form == "cef" else key_value()
    now = pl.lit(None, dtype=ecs.TIME).alias("received")
    intake = (
        pl.DataFrame({"message": lines}).with_row_index("row").with_columns(now, pl.lit("").alias("peer"))
    )
    columns: dict[str, list[str]] = {}
    for frame in shape.read(intake):
        for name in frame.columns:
            if name not in intake.columns and not name.startswith("header."):
                columns.setdefault(name, []).extend(frame[name].drop_nulls().to_list())
    return columns


def _table(lines: list[str], encoding: str, path: Path) -> Sample:
    delimiter = max(_DELIMITERS, key=lambda sign: _evenness(lines, sign))
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width < 2:
        raise InputError(
            "形式が分かりません(CSV、JSON、key=value、CEF のどれでもありません)。",
            "the form is unknown: neither CSV, JSON, key=value nor CEF",
            where=Where(path, 1),
        )
    even = [row for row in rows if len(row) == width]
    header = _is_header(even)
    names = [name.strip() for name in even[0]] if header else [f"列{n}" for n in range(1, width + 1)]
    seen: Counter[str] = Counter()
    for n, name in enumerate(names):
        seen[name] += 1
        names[n] = f"{name or '列'}{seen[name]}" if seen[name] > 1 or not name else name
    body = even[1:] if header else even
    columns = {name: [row[n].strip() for row in body if row[n].strip()] for n, name in enumerate(names)}
    return Sample("csv", encoding, columns, lines[1:] if header else lines, delimiter, header)


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    """How many of the lines have the commonest number of columns, where that is more than one."""
    counts = Counter(len(row) for row in csv.reader(lines[:200], delimiter=delimiter))
    ((width, n),) = counts.most_common(1)
    return (0.0, 0) if width < 2 else (n / counts.total(), width)


def _is_header(rows: list[list[str]]) -> bool:
    """Names have no digits in front and none repeats; the values below have."""
    first = rows[0]
    if len(set(first)) != len(first) or any(re.match(r"\s*[\d\-\[]", cell) for cell in first):
        return False
    return len(rows) == 1 or any(re.search(r"\d", cell) for cell in rows[1])
