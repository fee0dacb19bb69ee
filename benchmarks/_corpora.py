"""Other people's data that benchmarks measure over: ../shared/data, or below what HINOMI_SHARED names. None of it is in the project."""

import os
from pathlib import Path

DATA = Path(os.environ.get("HINOMI_SHARED", Path(__file__).parents[2] / "shared")) / "data"


def corpus(*parts: str) -> Path:
    """A path below it. Ends the benchmark with a sentence where it is not there: a figure over less would pass for one over all."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise SystemExit(
            f"nothing measured: {path} is not here (HINOMI_SHARED names the folder that has data/ in it)"
        )
    return path
