"""The shape of Windows events: lines of any form → frames of `winlog.*`, one a provider and event id."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from collectors import expressions as e
from collectors.windows import documents, envelopes, logs, texts, xml
from collectors.windows.forms import DATA, FORMS, form_of
from hinomi import ecs

PROVIDER, CODE = "winlog.provider_name", "winlog.event_id"
_TEXTS = (PROVIDER, CODE, "winlog.channel", "winlog.computer_name", "winlog.record_id")
_EVENT_ID = (
    r'"(?:EventI[Dd]|event_id|eventID)"\s*:\s*(?:\{[^}]*\}\s*,\s*"#text"\s*:\s*)?"?(\d+)|<EventID[^>]*>(\d+)'
)
_PROVIDER = r'"(?:provider_?[nN]ame|SourceName|Name|Provider)"\s*:\s*"([^"]*)"'
_MOST_PARAMS = 64
_GUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"


@dataclass(frozen=True, slots=True)
class WindowsEvents:
    """Reads EVTX dumps, event XML, Winlogbeat and flat (NXLog) JSON, bare or in another tool's envelope, and events as text, line
    by line in any mixture."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with `row`, `winlog.*` and whatever ECS fields the shipper filled."""
        kinds: dict[tuple[Any, ...], list[pl.DataFrame]] = defaultdict(list)
        for form, raw in _raw_frames(intake):
            frame = FORMS[form](raw)
            if frame is None:
                continue
            whole = _whole(frame).filter(pl.col(CODE).is_not_null())
            for kind, part in whole.partition_by([PROVIDER, CODE], as_dict=True).items():
                kinds[kind].append(part)
        return [_together(parts) for parts in kinds.values()]


def _raw_frames(intake: pl.DataFrame) -> Iterator[documents.Framed]:
    """(form, frame of dotted raw columns). Lines are put together by what looks like their event id,
    because lines of one kind have the same keys; what they are is read from the document afterwards."""
    message = pl.col("message")
    looks = intake.select(
        "row", "message", id=message.str.extract(_EVENT_ID, 1), provider=message.str.extract(_PROVIDER, 1)
    )
    for part in looks.partition_by(["provider", "id"], maintain_order=True):
        yield from documents.frames(_documents(part), form_of)


def _documents(part: pl.DataFrame) -> Iterator[documents.Pair]:
    lines: list[tuple[int, str | None]] = []
    for row, line in zip(part["row"].to_list(), part["message"].to_list(), strict=True):
        if line is None or line[:1] == "{":
            lines.append((row, line))
        elif "<Event" in line[:400]:
            if (document := xml.document(line)) is not None:
                yield row, document
        elif (document := texts.document(line)) is not None:
            yield row, document
        else:
            lines.append((row, _json_part(line)))
    for row, document in documents.parsed(lines):
        yield row, envelopes.unpacked(document)


def _json_part(line: str) -> str | None:
    """The JSON object of a line that may have a syslog header before it."""
    start = line.find("{", 0, 400)
    return line[start:] if start >= 0 else None


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column that later steps rely on, event data as text, GUIDs as Windows writes them."""
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in _TEXTS if name not in frame.columns]
    frame = frame.with_columns(missing) if missing else frame
    if frame[PROVIDER].null_count() or frame["winlog.channel"].null_count():
        told = frame.with_columns(logs.provider(frozenset(frame.columns)).alias(PROVIDER))
        frame = told.with_columns(logs.channel().alias("winlog.channel"))
    frame = _unnamed(frame)
    texts = ecs.conform(frame.drop("row")).with_columns(frame["row"])
    guids = [braced(name) for name in texts.columns if name.startswith(DATA) and name[-4:].lower() == "guid"]
    return texts.with_columns(guids)


def braced(name: str) -> pl.Expr:
    column = pl.col(name)
    braced = pl.concat_str(pl.lit("{"), column, pl.lit("}"))
    return pl.when(column.str.contains(_GUID)).then(braced).otherwise(column).alias(name)


def _unnamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Classic events have unnamed values: `param1`, `param2` … as Winlogbeat names them, and `Data`, each from the other
    where an event has one only."""
    data = DATA + "Data"
    given = [name for i in range(1, _MOST_PARAMS) if (name := f"{DATA}param{i}") in frame.columns]
    if data not in frame.columns and not given:
        return frame
    together = e.nothing()
    if given:
        joined = pl.concat_str(given, separator="\n", ignore_nulls=True)
        together = pl.when(pl.any_horizontal(pl.col(given).is_not_null())).then(joined)
    if data not in frame.columns:
        return frame.with_columns(together.alias(data))
    values, whole = _values(frame[data])
    params = [
        (pl.coalesce(name, value) if name in frame.columns else value).alias(name)
        for i, value in enumerate(values, 1)
        for name in (f"{DATA}param{i}",)
    ]
    return frame.with_columns(*params, pl.coalesce(whole, together).alias(data))


def _values(data: pl.Series) -> tuple[list[pl.Expr], pl.Expr]:
    """Each of the unnamed values, and all of them as a text."""
    column = pl.col(data.name)
    if not isinstance(data.dtype, pl.List):
        return [column], column
    width = min(int(data.list.len().max() or 0), _MOST_PARAMS)  # type: ignore[arg-type]
    return [column.list.get(i, null_on_oob=True) for i in range(width)], column.list.join(
        "\n", ignore_nulls=True
    )


def _together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Frames of one kind that came in several shapes or forms, as one."""
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal_relaxed")
