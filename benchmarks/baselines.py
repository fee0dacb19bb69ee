"""Baselines on two generated months with planted anomalies, tidy and messy: precision, recall and signals/s of each kind."""

import random
import time

from benchmarks._messy_months import MESSY
from benchmarks._months import KINDS, measured

PEOPLE, SEEDS = 120, (1, 2, 3)


def main() -> None:
    """One line a kind, over three months drawn differently."""
    print(f"{'kind':20}{'planted':>9}{'found':>7}{'recall':>9}{'precision':>11}{'signals/s':>12}")
    for kind in (*KINDS, *MESSY):
        sums, began = [0, 0, 0, 0], time.process_time()
        spent = 0.0
        for seed in SEEDS:
            month = kind(random.Random(seed), PEOPLE)
            began = time.process_time()
            sums = [total + one for total, one in zip(sums, measured(month), strict=True)]
            spent += time.process_time() - began
        planted, hit, findings, entries = sums
        precision = hit / findings if findings else 1.0
        print(
            f"{kind.__name__:20}{planted:9}{hit:7}{hit / planted:9.2f}{precision:11.2f}{entries / spent:12,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
