"""Run every benchmark of the folder, or those named."""

import importlib
import pkgutil
import sys
from pathlib import Path


def main() -> None:
    """Each module's `main()` in turn; what it prints is the result."""
    names = sys.argv[1:] or sorted(
        found.name
        for found in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not found.name.startswith("_")
    )
    for name in names:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
