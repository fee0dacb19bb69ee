"""Columns of texts as distinct texts and codes, gathered a few rows at a time: what rules ask, without a frame between."""

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]


class Coded(NamedTuple):
    """texts: each text that some row has; codes: of each row the place of its text, `len(texts)` where it has none."""

    texts: list[str]
    codes: Codes


class Coding:
    """One column that is being gathered."""

    __slots__ = ("_codes", "_numbers")

    def __init__(self) -> None:
        self._codes = array("i")
        self._numbers: defaultdict[str | None, int] = defaultdict(count().__next__)

    def add(self, cells: Iterable[str | None]) -> None:
        """The next rows; None where there is no text."""
        self._codes.extend(map(self._numbers.__getitem__, cells))

    def coded(self) -> Coded:
        """All rows so far."""
        texts = list(self._numbers)
        codes = np.array(self._codes, np.int32)
        absent = self._numbers.get(None)
        if absent is not None:
            del texts[absent]
            codes[codes == absent] = len(texts) + 1
            codes[codes > absent] -= 1
        return Coded(texts, codes)  # type: ignore[arg-type]  # None is out
