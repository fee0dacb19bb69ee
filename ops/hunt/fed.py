"""What a part of a hunt hands to correlations and baselines."""

from typing import NamedTuple


class Fed(NamedTuple):
    """Signals for correlations and baselines: how many, and they as Arrow's file format has them."""

    signals: int
    arrow: bytes
