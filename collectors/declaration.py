"""What a declared mapping (`*.source.yml`) may say, as a checked model.

Mistakes come back as ContentError with file, line, key and what was expected; all of a file at once.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator, Field, field_validator, model_validator

from collectors import times
from collectors.settings import EncodingName
from hinomi import config, yamlfile
from hinomi.errors import ConfigError, ContentError, HinomiError, ManyErrors, Where

Format = Literal["csv", "json", "key_value", "cef"]
Type = Literal["text", "lower", "ip", "integer", "number", "boolean", "time"]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
        pl.Series([""]).str.contains(text)  # the two kinds of regular expression differ at the edges
    except (re.error, pl.exceptions.ComputeError) as error:
        raise ValueError(f"正規表現として読めません({error})。|not a regular expression: {error}") from None
    return text


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"「{name}」という時間帯はありません(例: Asia/Tokyo)。|no time zone {name} (like Asia/Tokyo)"
        ) from None


def _time_format(text: str) -> str:
    if problem := times.flaw(text):
        named = ", ".join(times.NAMED)
        raise ValueError(
            f"「{text}」は時刻の形として使えません({named} か strptime の書式)。|{text}: {problem}"
        )
    return text


SOURCE_NAME = r"^[a-z0-9_]+\.[a-z0-9_]+$"
"""Maker and product."""
Pattern = Annotated[str, AfterValidator(_pattern)]


class Target(config.Section):
    """Where one column goes.

    to: ECS or own field; type: how its text is read; formats: for `time`, tried in order; values: text →
    value; otherwise: the value for texts that `values` does not hold (none: the field stays empty);
    first: of a JSON list of objects, the value that the first object itself has under this name (of the next ones none is mixed
    in); extract: a regular expression, its first group is taken; split: separator of several values; offset: for `time`,
    the column that holds what belongs behind it: the offset from UTC (`+0900`) or, beside a date, the time of day;
    where: other columns and their values (none: any value): only of such a record is it taken.
    """

    to: Annotated[str, Field(pattern=r"^@?[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$")]
    type: Type = "text"
    formats: list[Annotated[str, AfterValidator(_time_format)]] = Field(
        default_factory=lambda: [times.JAPANESE, times.ISO]
    )
    values: dict[str, str | list[str]] = Field(default_factory=dict)
    otherwise: str | list[str] | None = None
    first: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    extract: Pattern | None = None
    split: str | None = None
    offset: str | None = None
    where: dict[str, list[str]] = Field(default_factory=dict)

    @field_validator("extract")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is not None and re.compile(value).groups < 1:
            raise ValueError("かっこで囲んだ部分が 1 つ必要です。|needs one group in parentheses")
        return value


class Title(config.Section):
    """The source's name for people."""

    ja: str
    en: str


class Declaration(config.Section):
    """A declared mapping.

    columns, delimiter, quote, header: CSV only; columns in the file's order, header: whether files begin with
    a line of column names. fields: column (for JSON a dotted path) → targets. required: columns without
    which a line is rejected; the column of `@timestamp` always is, unless `untimed` says that some lines have
    none (the time of arrival then stands for it). always: what every line of the format has, a pattern: a line without it is
    rejected (a JSON document with the same names for time and id is not yet this product's); recognise: what tells its lines
    among all others (none: `always`). timezone: of times that name none (none: where this city is, as
    `timezone` of hinomi.yaml says). leftovers: prefix of what no target names.
    """

    source: Annotated[str, Field(pattern=SOURCE_NAME)]
    title: Title
    format: Format
    encoding: EncodingName = "auto"
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    columns: list[str] = Field(default_factory=list)
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    header: bool = True
    recognise: Pattern = ""
    always: Pattern = ""
    zone_hint: str = ""
    fields: dict[str, list[Target]]
    required: list[str] = Field(default_factory=list)
    untimed: bool = False
    constants: dict[str, str | list[str]] = Field(default_factory=dict)
    leftovers: str = ""

    @property
    def zone(self) -> str:
        """Of times that name none; asked when lines are read, as hinomi.yaml may say which."""
        return self.timezone or times.zone()

    @model_validator(mode="after")
    def _csv_only(self) -> "Declaration":
        if self.format == "csv" and not self.columns:
            raise config.Blaming(
                "columns",
                "csv には columns(列名の一覧)が必要です。",
                "csv needs columns, the list of column names",
            )
        if self.format != "csv" and self.columns:
            raise config.Blaming("columns", "columns は csv にだけ書けます。", "columns goes with csv only")
        return self


def read(path: Path) -> Declaration:
    """The declaration in a file. Raises ContentError, or ManyErrors of them."""
    document = yamlfile.read(path)
    if not isinstance(document.value, dict):
        raise ContentError(
            "「キー: 値」の形で書いてください。", "expected a mapping of keys", where=Where(path, 1)
        )
    value, single = _with_lists(document.value)
    places = {key: document.places.where(key) for key in document.places.lines}
    places |= _moved(places, single)
    try:
        declared = config.validate(value, Declaration, places, default=path)
    except ManyErrors as many:
        raise ManyErrors([_content(error, single) for error in many.errors]) from None
    except ConfigError as error:
        raise _content(error, single) from None
    return declared


def _with_lists(value: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The file's value with every field as a list of targets, and the names that were none."""
    fields = value.get("fields")
    if not isinstance(fields, dict):
        return value, set()
    single = {str(name) for name, targets in fields.items() if not isinstance(targets, list)}
    lists = {
        str(name): [_target(one) for one in (targets if isinstance(targets, list) else [targets])]
        for name, targets in fields.items()
    }
    return {**value, "fields": lists}, single


def _target(written: Any) -> Any:
    return {"to": written} if isinstance(written, str) else written


def _moved(places: dict[str, Where], single: set[str]) -> dict[str, Where]:
    """The places below fields also under the lists that they became."""
    moved = {}
    for name, where in places.items():
        head, *parts = name.split(".")
        for end in range(1, len(parts) + 1) if head == "fields" else ():
            if (field := ".".join(parts[:end])) in single:
                moved[".".join(["fields", field, "0", *parts[end:]])] = where
    return moved


def _content(error: HinomiError, single: set[str]) -> ContentError:
    where = error.where
    if where is not None and where.key is not None:
        where = Where(where.file, where.line, _as_written(where.key, single))
    return ContentError(error.ja, error.en, where=where)


def _as_written(key: str, single: set[str]) -> str:
    for name in single:
        if key.startswith(f"fields.{name}.0"):
            return f"fields.{name}{key.removeprefix(f'fields.{name}.0')}"
    return key


def targets(declaration: Declaration) -> Iterator[tuple[str, int, Target]]:
    """(column, position, target) of each target."""
    for column, entries in declaration.fields.items():
        for index, target in enumerate(entries):
            yield column, index, target
