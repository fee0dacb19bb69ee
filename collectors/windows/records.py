"""The shape of Windows events: lines of any form → frames of `winlog.*`, one a provider and event id."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from collectors.windows import documents, envelopes, logs, xml
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
    """Reads EVTX dumps, event XML, Winlogbeat and flat (NXLog) JSON, bare or in another tool's envelope, line by line
    in any mixture."""

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
        if line is not None and line[:1] != "{" and "<Event" in line[:400]:
            if (document := xml.document(line)) is not None:
                yield row, document
        else:
            lines.append((row, _json_part(line)))
    for row, document in documents.parsed(lines):
        yield row, envelopes.unpacked(document)


def _json_part(line: str | None) -> str | None:
    """The JSON object of a line that may have a syslog header before it."""
    if line is None or line[:1] == "{":
        return line
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
    """Classic events have unnamed values: `param1`, `param2` … as Winlogbeat names them, and `Data`."""
    data = DATA + "Data"
    if data not in frame.columns:
        names = [name for i in range(1, _MOST_PARAMS) if (name := f"{DATA}param{i}") in frame.columns]
        joined = pl.concat_str(names, separator="\n", ignore_nulls=True).alias(data)
        return frame.with_columns(joined) if names else frame
    if not isinstance(frame.schema[data], pl.List):
        return frame.with_columns(pl.col(data).alias(f"{DATA}param1"))
    width = min(int(frame[data].list.len().max() or 0), _MOST_PARAMS)  # type: ignore[arg-type]
    numbered = {f"{DATA}param{i + 1}": pl.col(data).list.get(i, null_on_oob=True) for i in range(width)}
    params = [param.alias(name) for name, param in numbered.items() if name not in frame.columns]
    return frame.with_columns(*params, pl.col(data).list.join("\n", ignore_nulls=True))


def _together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Frames of one kind that came in several shapes or forms, as one."""
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal_relaxed")
