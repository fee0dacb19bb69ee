"""Addresses against networks: for each length of prefix one search of all addresses, masked, in a sorted array.

IPv6 addresses are few and long: they are parsed one by one, and remembered.
"""

import ipaddress
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

_MEMO = 200_000  # IPv6 addresses whose network is remembered
_PARTS, _BITS = 4, 32

Numbers = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int64]


@dataclass(slots=True)
class Networks:
    """texts: networks in one spelling, by row. A more special network wins over a wider one."""

    texts: list[str]
    _four: list[tuple[np.uint32, Numbers, Rows]] = field(init=False)
    _six: dict[int, dict[int, int]] = field(init=False)
    _memo: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        four: dict[int, dict[int, int]] = {}
        six: dict[int, dict[int, int]] = {}
        for row, text in enumerate(self.texts):
            network = ipaddress.ip_network(text)
            held = four if network.version == 4 else six
            held.setdefault(network.prefixlen, {})[int(network.network_address)] = row
        self._four = [_sorted(length, held) for length, held in sorted(four.items(), reverse=True)]
        self._six = dict(sorted(six.items(), reverse=True))

    def find(self, addresses: pl.Series) -> tuple[list[str], list[int]]:
        """The addresses that lie in a network, and the network's row of each."""
        found = np.full(len(addresses), -1, np.int64)
        if self._four:
            self._find_four(addresses, found)
        if self._six:
            self._find_six(addresses, found)
        at = np.flatnonzero(found >= 0)
        pairs = [
            (text, row)
            for text, row in zip(addresses.gather(at).to_list(), found[at].tolist(), strict=True)
            if _address(text) is not None  # 010.0.0.1 and its like are no addresses
        ]
        return [text for text, _ in pairs], [row for _, row in pairs]

    def _find_four(self, addresses: pl.Series, found: Rows) -> None:
        parts = addresses.str.split_exact(".", _PARTS - 1).struct.unnest().get_columns()
        octets = [one.cast(pl.UInt32, strict=False) for one in parts]
        sound = (
            pl.DataFrame(octets).select(pl.all_horizontal(pl.all() <= 255).fill_null(value=False)).to_series()
        )
        rows = sound.arg_true().to_numpy()
        if not len(rows):
            return
        numbers = np.zeros(len(rows), np.uint32)
        for octet in octets:
            numbers = (numbers << np.uint32(8)) | octet.gather(rows).to_numpy().astype(np.uint32)
        for mask, networks, of in self._four:
            masked = numbers & mask
            at = np.minimum(np.searchsorted(networks, masked), len(networks) - 1)
            near = np.flatnonzero((networks[at] == masked) & (found[rows] < 0))
            found[rows[near]] = of[at[near]]

    def _find_six(self, addresses: pl.Series, found: Rows) -> None:
        if len(self._memo) > _MEMO:
            self._memo.clear()
        for at in addresses.str.contains(":", literal=True).arg_true().to_list():
            text = addresses[at]
            row = self._memo.get(text)
            found[at] = self._memo.setdefault(text, self._row_of(text)) if row is None else row

    def _row_of(self, text: str) -> int:
        address = _address(text)
        if address is None or address.version != 6:
            return -1
        number = int(address)
        for length, held in self._six.items():
            if (row := held.get(number >> (128 - length) << (128 - length))) is not None:
                return row
        return -1


def _sorted(length: int, held: dict[int, int]) -> tuple[np.uint32, Numbers, Rows]:
    numbers = np.array(list(held), np.uint32)
    order = np.argsort(numbers)
    mask = np.uint32((1 << _BITS) - (1 << (_BITS - length)))
    return mask, numbers[order], np.array(list(held.values()), np.int64)[order]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
