"""What `hinomi rules check` costs over the public collection: whole processes on one core, the first with an empty cache, the others
with what it kept.

In turn, by processor time: this tree, and an earlier one where HINOMI_BEFORE names its folder.
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks._corpora import corpus
from benchmarks._rusage import Cost, run, trees

ROUNDS = int(os.environ.get("HINOMI_CHECK_ROUNDS", "5"))


def main() -> None:
    """Print the first and the later checks of each tree."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = trees()
        first = {kind: _check(tree, Path(folder) / kind) for kind, tree in kinds.items()}
        later: dict[str, list[Cost]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, tree in kinds.items():
                later[kind].append(_check(tree, Path(folder) / kind))
    for kind, costs in later.items():
        spent, memory = [cost.cpu for cost in costs], max(cost.memory for cost in costs)
        print(
            f"{kind:7} first {first[kind].cpu:.2f} s of processor, {first[kind].memory:.0f} MiB; "
            f"later least {min(spent):.2f}, median {median(spent):.2f} s, {memory:.0f} MiB",
            flush=True,
        )


def _check(tree: Path, cache: Path) -> Cost:
    os.environ["HINOMI_CACHE"] = str(cache)
    return run([sys.executable, "-P", "-m", "ops.cli", "rules", "check", str(corpus("sigma"))], tree=tree)


if __name__ == "__main__":
    main()
