"""Before anything is stored: My Numbers and the city's own patterns are masked or replaced by a keyed hash.

An individual number (個人番号) has 12 digits, the last a check digit: 11 − (Σ Pₙ·Qₙ mod 11), 0 when that
remainder is 0 or 1; Pₙ the n-th digit from the right behind the check digit, Qₙ = n+1 for n ≤ 6 and n−5
above (番号法施行規則, 行政手続における特定の個人を識別するための番号の利用等に関する法律施行令の技術的基準).
Twelve random digits pass in about one case in eleven, so a dataset where they occur may be exempted.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import BeforeValidator, Field

from hinomi import ecs
from hinomi.config import Section
from hinomi.errors import ConfigError, Where
from hinomi.ledger import Ledger, What
from hinomi.secret import Secret

Action = Literal["mask", "hash"]
Replace = Callable[[str], tuple[str, int]]

_WHAT: dict[Action, What] = {"mask": "masked", "hash": "hashed"}

_SEPARATOR = r"[ \-‐－　]?"
_DIGIT = "[0-9０-９]"
_TWELVE = rf"{_DIGIT}{{4}}{_SEPARATOR}{_DIGIT}{{4}}{_SEPARATOR}{_DIGIT}{{4}}"
_MY_NUMBER = re.compile(rf"(?<!{_DIGIT}){_TWELVE}(?!{_DIGIT})")
# A cheap native test that finds every line which _MY_NUMBER or a JSON escape of it could be in.
_CANDIDATE = rf"(?:^|[^0-9０-９]){_TWELVE}(?:[^0-9０-９]|$)|\\u[fF][fF]1[0-9]|\\u003[0-9]"
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")


def is_my_number(digits: str) -> bool:
    """Whether 12 ASCII digits carry a valid check digit."""
    if len(digits) != 12 or not digits.isascii() or not digits.isdigit():
        return False
    body = digits[10::-1]
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(body, start=1))
    rest = total % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def _compiled(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"正規表現として読めません({error})。|not a regular expression: {error}") from None


class Pattern(Section):
    """One of the city's own patterns: a name for the counts, a regular expression, what to do, where."""

    name: str
    regex: Annotated[re.Pattern[str], BeforeValidator(_compiled)]
    action: Action = "mask"
    datasets: list[str] = Field(default_factory=list)


class PrivacySettings(Section):
    """`privacy:` of the configuration. `key` is needed where anything is hashed."""

    my_number: Literal["mask", "hash", "keep"] = "mask"
    my_number_except: list[str] = Field(default_factory=list)
    patterns: list[Pattern] = Field(default_factory=list)
    key: Secret | None = None


@dataclass(slots=True)
class Privacy:
    """Masks a frame of one dataset before it is stored."""

    settings: PrivacySettings
    ledger: Ledger
    _key: bytes | None = None

    def apply(self, dataset: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with numbers and patterns replaced in every text column; replacements are counted.

        Only rows whose raw line holds a candidate are looked at: every field comes out of the raw line.
        """
        columns = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.List(pl.String))]
        if self.settings.my_number != "keep" and dataset not in self.settings.my_number_except:
            frame = self._replace(
                frame, columns, _CANDIDATE, self._my_number, dataset, "my_number", self._number_action
            )
        for pattern in self.settings.patterns:
            if not pattern.datasets or dataset in pattern.datasets:
                frame = self._by_pattern(frame, columns, pattern, dataset)
        return frame

    def _by_pattern(
        self, frame: pl.DataFrame, columns: Sequence[str], pattern: Pattern, dataset: str
    ) -> pl.DataFrame:
        def replace(text: str) -> tuple[str, int]:
            return pattern.regex.subn(
                lambda m: self._replacement(m.group(), pattern.action, pattern.name), text
            )

        return self._replace(frame, columns, None, replace, dataset, pattern.name, pattern.action)

    def _replace(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        candidate: str | None,
        replace: Replace,
        dataset: str,
        reason: str,
        action: Action,
    ) -> pl.DataFrame:
        rows = _candidate_rows(frame, candidate)
        if rows is not None and candidate is not None:
            rows = _confirmed(frame, rows, replace)
        if rows is None:
            return frame
        part, count = frame[rows], 0
        replaced = []
        for name in columns:
            series, changed = _replaced(part[name], replace)
            count += changed
            if changed:
                replaced.append(series)
        if not replaced:
            return frame
        self.ledger.count(_WHAT[action], count, dataset=dataset, reason=reason)
        return frame.with_columns(_with_rows(frame[series.name], rows, series) for series in replaced)

    def _my_number(self, text: str) -> tuple[str, int]:
        changed = 0

        def one(match: re.Match[str]) -> str:
            nonlocal changed
            digits = re.sub(r"\D", "", match.group().translate(_WIDE))
            if not is_my_number(digits):
                return match.group()
            changed += 1
            return self._replacement(digits, self._number_action, "my_number")

        return _MY_NUMBER.sub(one, text), changed

    @property
    def _number_action(self) -> Action:
        return "hash" if self.settings.my_number == "hash" else "mask"

    def _replacement(self, text: str, action: Action, name: str) -> str:
        if action == "mask":
            return "[個人番号]" if name == "my_number" else f"[{name}]"
        digest = hmac.new(self._secret(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"[{name}:{digest[:16]}]"

    def _secret(self) -> bytes:
        if self._key is None:
            if self.settings.key is None:
                raise ConfigError(
                    "hash を使うには key が必要です。",
                    "hashing needs a key",
                    where=Where(None, None, "privacy.key"),
                )
            self._key = self.settings.key.reveal().encode()
        return self._key


def _candidate_rows(frame: pl.DataFrame, candidate: str | None) -> pl.Series | None:
    """Row numbers to look at: where the raw line matches, or all; None for no row."""
    if candidate is None or "event.original" not in frame.columns:
        rows = pl.Series(range(frame.height), dtype=pl.UInt32)
    else:
        rows = frame["event.original"].str.contains(candidate).fill_null(False).arg_true()
    return rows if len(rows) else None


def _confirmed(frame: pl.DataFrame, rows: pl.Series, replace: Replace) -> pl.Series | None:
    """Those candidates whose raw line holds something to replace, or hides it behind JSON escapes.

    Most twelve digits are no My Number: the raw line tells, before every column is gone through.
    """
    if "event.original" not in frame.columns:
        return rows
    originals = frame["event.original"].gather(rows).to_list()
    kept = [text is not None and ("\\u" in text or replace(text)[1] > 0) for text in originals]
    confirmed = rows.filter(pl.Series(kept, dtype=pl.Boolean))
    return confirmed if len(confirmed) else None


def _replaced(series: pl.Series, replace: Replace) -> tuple[pl.Series, int]:
    changed, inside = 0, _each(replace) if ecs.several(series.name) else replace

    def one(value: object) -> object:
        nonlocal changed
        if isinstance(value, str):
            text, count = inside(value)
            changed += count
            return text
        if isinstance(value, list):
            return [one(item) for item in value]
        return value

    values = [one(value) for value in series.to_list()]
    return pl.Series(series.name, values, dtype=series.dtype), changed


def _each(replace: Replace) -> Replace:
    """For a text that may be a vendor's several values: it is looked at whole, for a sender may have written the sign that
    stands between them, then each value that this left as it was by itself, for a pattern may ask for its beginning."""

    def both(text: str) -> tuple[str, int]:
        whole, changed = replace(text)
        if ecs.BETWEEN not in text:
            return whole, changed
        given, parts = set(text.split(ecs.BETWEEN)), whole.split(ecs.BETWEEN)
        for index, part in enumerate(parts):
            if part in given:
                parts[index], count = replace(part)
                changed += count
        return ecs.BETWEEN.join(parts), changed

    return both


def _with_rows(series: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """The series with the values at these rows; unlike `scatter` it also takes lists."""
    order = np.arange(len(series))
    order[rows.to_numpy()] = np.arange(len(series), len(series) + len(values))
    return pl.concat([series, values]).gather(order)
