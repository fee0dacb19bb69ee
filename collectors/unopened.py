"""What arrived and could not be opened (a notice that is none, a broken archive): kept as dead letters, with the reason.

Whoever finds it spools a line under `ORIGIN`; the pipeline makes a dead letter of it, under the origin that it came for.
"""

from dataclasses import asdict, dataclass

import orjson
import polars as pl

ORIGIN = "hinomi.unopened"
_SCHEMA = {"origin": pl.String(), "source": pl.String(), "reason": pl.String(), "text": pl.String()}


@dataclass(frozen=True, slots=True)
class Unopened:
    """One such thing. origin: what it came for; source: the format it was to have; reason: a short English key, with
    what a person needs to find it; text: itself, or where it lies."""

    origin: str
    source: str
    reason: str
    text: str

    def line(self) -> bytes:
        """As it is spooled."""
        return orjson.dumps(asdict(self))


def read(messages: pl.Series) -> pl.DataFrame:
    """Columns origin, source, reason, text of such lines; text alone of a line that is none."""
    found = messages.map_elements(_told, return_dtype=pl.Struct(_SCHEMA))
    return found.struct.unnest()


def _told(line: str) -> dict[str, str]:
    try:
        told = orjson.loads(line)
        return {name: str(told[name]) for name in _SCHEMA}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {"origin": ORIGIN, "source": "", "reason": "unopened", "text": line}
