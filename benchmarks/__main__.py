"""Run every benchmark of the folder, or those named.

usage: python -m benchmarks [NAME [ARGUMENT…]]…    an argument, such as a source or a number, is for the name before it
"""

import pkgutil
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Each benchmark in turn, as `python -m benchmarks.NAME ARGUMENT…` would run it; what it prints is the result."""
    known = sorted(
        found.name
        for found in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not found.name.startswith("_")
    )
    asked: list[list[str]] = []
    for word in sys.argv[1:] or known:
        if word in known:
            asked.append([word])
        elif asked:
            asked[-1].append(word)
        else:
            sys.exit(f"no benchmark is called {word}; there are: {', '.join(known)}")
    missed = []
    for name, *arguments in asked:
        print(f"== {name}", flush=True)
        sys.argv[1:] = arguments
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__")
        except (
            SystemExit
        ) as ended:  # a limit that was not kept, or a sentence: the others are run all the same
            if isinstance(ended.code, str):
                print(ended.code, file=sys.stderr)
            missed += [name] if ended.code else []
    sys.exit(f"not measured, or not within its limit: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
