"""A template: which elements the records of a set have, and reading many such records at once."""

import ipaddress
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as made

import numpy as np
import numpy.typing as npt
import polars as pl

from collectors.flows.elements import PADDING, Kind, element

VARIABLE = 65535
MOST_FIELDS = 512
Octets = npt.NDArray[np.uint8]
_EXACT = {1: ">u1", 2: ">u2", 4: ">u4", 8: ">u8"}


@dataclass(frozen=True, slots=True)
class Field:
    """One element of a record. length: bytes, `VARIABLE` where each record says it; enterprise: 0 for IANA's own."""

    number: int
    length: int
    enterprise: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """fields in order; options: its records are about the exporter, no flows; length: bytes of a record, of variable ones
    the fewest; varies: whether records differ in length."""

    fields: tuple[Field, ...]
    options: bool = False
    length: int = made(init=False, compare=False)
    varies: bool = made(init=False, compare=False)

    def __post_init__(self) -> None:
        """Count once what every set asks for."""
        lengths = [field.length for field in self.fields]
        object.__setattr__(self, "length", sum(1 if one == VARIABLE else one for one in lengths))
        object.__setattr__(self, "varies", VARIABLE in lengths)

    @property
    def sound(self) -> bool:
        """Whether records can be read by it at all."""
        return 0 < len(self.fields) <= MOST_FIELDS and 0 < self.length < VARIABLE

    def count(self, body: bytes) -> int:
        """How many records a set's body holds; what is left is padding."""
        if not self.varies:
            return len(body) // self.length
        return sum(1 for _ in self._variable(body))

    def frame(self, bodies: Sequence[bytes]) -> pl.DataFrame:
        """The records of several sets, a column an element, in order. Elements that come twice are numbered."""
        columns: dict[str, pl.Series] = {}
        for field, octets in zip(self.fields, self._columns(bodies), strict=True):
            if field.number == PADDING and not field.enterprise:
                continue
            name, kind = element(field.number, field.enterprise)
            unique, number = name, 2
            while unique in columns:
                unique, number = f"{name}_{number}", number + 1
            columns[unique] = octets(kind)
        return pl.DataFrame(columns)

    def _columns(self, bodies: Sequence[bytes]) -> Iterator["Callable[[Kind], pl.Series]"]:
        if self.varies:
            rows = [row for body in bodies for row in self._variable(body)]
            for i in range(len(self.fields)):
                values = [row[i] for row in rows]
                yield lambda kind, values=values: _of_bytes(values, kind)  # type: ignore[misc]
            return
        size = self.length
        data = b"".join(body[: len(body) // size * size] for body in bodies)
        records = np.frombuffer(data, np.uint8).reshape(-1, size)
        at = 0
        for field in self.fields:
            part = records[:, at : at + field.length]
            at += field.length
            yield lambda kind, part=part: _of_array(part, kind)  # type: ignore[misc]

    def _variable(self, body: bytes) -> Iterator[list[bytes]]:
        """Records whose fields say their own length; the first that is not whole ends the set."""
        at = 0
        while at + self.length <= len(body):
            row: list[bytes] = []
            for field in self.fields:
                length = field.length
                if length == VARIABLE:
                    if at >= len(body):
                        return
                    length, at = body[at], at + 1
                    if length == 255:
                        if at + 2 > len(body):
                            return
                        (length,) = struct.unpack_from(">H", body, at)
                        at += 2
                if at + length > len(body):
                    return
                row.append(body[at : at + length])
                at += length
            yield row


def _of_array(part: Octets, kind: Kind) -> pl.Series:
    """A column of n values of the same length: uint8 of shape (n, length)."""
    length = part.shape[1]
    if kind is Kind.NUMBER and 0 < length <= 8:
        return pl.Series(_numbers(part))
    if kind is Kind.IPV4 and length == 4:
        octets = pl.DataFrame({str(i): part[:, i] for i in range(4)}).cast(pl.String)
        return octets.select(pl.concat_str(pl.all(), separator="."))[:, 0]
    if length == 0:
        return pl.Series([""] * part.shape[0], dtype=pl.String)
    values, place = np.unique(part, axis=0, return_inverse=True)
    texts = pl.Series([_text(row.tobytes(), kind) for row in values], dtype=pl.String)
    return texts.gather(pl.Series(place.reshape(-1).astype(np.uint32)))


def _numbers(part: Octets) -> npt.NDArray[np.uint64]:
    """Big-endian numbers, also of the lengths that no machine type has (reduced-size encoding)."""
    length = part.shape[1]
    if length not in _EXACT:
        part = np.pad(part, ((0, 0), (8 - length, 0)))
        length = 8
    return np.ascontiguousarray(part).view(_EXACT[length])[:, 0].astype(np.uint64)


def _of_bytes(values: list[bytes], kind: Kind) -> pl.Series:
    if kind is Kind.NUMBER and all(len(value) <= 8 for value in values):
        return pl.Series([int.from_bytes(value) for value in values], dtype=pl.UInt64)
    return pl.Series([_text(value, kind) for value in values], dtype=pl.String)


def _text(value: bytes, kind: Kind) -> str:
    if kind is Kind.TEXT:
        return value.decode("utf-8", "replace").rstrip("\0")
    if kind is Kind.MAC and len(value) == 6:
        return value.hex("-").upper()
    if (kind is Kind.IPV4 and len(value) == 4) or (kind is Kind.IPV6 and len(value) == 16):
        return str(ipaddress.ip_address(value))
    return value.hex()
