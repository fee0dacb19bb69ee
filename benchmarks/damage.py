"""Every kind of record that a busy night leaves behind, damaged in every field (gone, a number, a word, null, empty as a whole):
the tower starts anew each time, and a new grave alert must reach a person. Limit: none is silenced.

usage: python -m benchmarks.damage
"""

import sys
import tempfile
from pathlib import Path

from tests.responders.test_damage import night, silenced


def main() -> bool:
    """Try all; True when none silences anybody."""
    with tempfile.TemporaryDirectory(prefix="hinomi-damage-") as folder:
        night(Path(folder) / "night")
        silent, tried = silenced(Path(folder) / "night", Path(folder), every=1)
    print(f"{tried} damaged records: {len(silent)} silence somebody", *silent, sep="\n")
    return not silent


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
