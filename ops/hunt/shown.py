"""What people are told of a hunt: the rules that hit, what could not be read and why, counts and times."""

import resource

from rich.console import Console
from rich.text import Text

from collectors.hunt_input import UNKNOWN_FORMAT
from hinomi.alert import Level
from hinomi.text import inert
from ops.hunt.job import Loaded
from ops.hunt.tally import UNDATED, Tally
from ops.tables import folding

# Why a file or a part of it was left out.
_DAMAGE = {
    UNKNOWN_FORMAT: "どの形式か分かりません。--source で指定できます / format not recognised; name it with --source"
}
_MOST_NAMED = 20
"""Files named one by one as of an unknown product."""


def rules(console: Console, tally: Tally) -> None:
    """A table of the rules that hit, the gravest first."""
    table = folding("水準 / level", "件数 / hits", "ルール / rule", title=f"{len(tally.by_rule)} rules")
    for (level, title, _), n in sorted(tally.by_rule.items(), key=_gravest):
        table.add_row(Text(level), f"{n:,}", Text(inert(title)))
    console.print(table)
    if tally.counted:
        said = f"相関・平常値が数えるだけの信号 {tally.counted:,} 件 / signals that are only counted {tally.counted:,}"
        console.print(said, soft_wrap=True)


def damage(console: Console, tally: Tally, loaded: Loaded | None) -> None:
    """What is wrong with rules, of which files the product is unknown, and what was not read."""
    problems = loaded.problems if loaded is not None else []
    for problem in problems[:_MOST_NAMED]:
        _tell(console, problem, "red")
    if len(problems) > _MOST_NAMED:
        _tell(console, f"… {len(problems) - _MOST_NAMED:,} (hinomi rules check)", "red")
    _valueless(console, loaded.valueless if loaded is not None else [])
    if tally.not_correlated:
        left = f"{tally.not_correlated:,}"
        _tell(
            console,
            f"相関と平常値は、多すぎる信号のうち {left} 件を見ていません。期間を分けて調べてください / "
            f"correlations and baselines did not look at {left} signals, which were too many: hunt over shorter spans",
            "yellow",
        )
    if undated := tally.counts[UNDATED]:
        left = f"{undated:,}"
        _tell(
            console,
            f"時刻を読めない信号 {left} 件は、相関と平常値に含めていません / "
            f"correlations and baselines did not look at {left} signals without a legible time",
            "yellow",
        )
    for path, name in sorted(tally.generic.items())[:_MOST_NAMED]:
        unknown = (
            f"製品が分からないので {name} として読みました。製品ごとのルールは当たりません(--source で指定できます) / "
            f"product unknown, read as {name}: rules for a product do not meet it; name it with --source"
        )
        _tell(console, f"{path}: {unknown}", "yellow")
    for (path_name, reason), lost in sorted(tally.lost.items()):
        _tell(console, f"{path_name}: {_DAMAGE.get(reason, reason)} ({lost:,})", "yellow")
    cut = tally.not_understood.most_common()
    for name, n in cut[:_MOST_NAMED]:
        _tell(console, f"{name}: 解析できない行があります / lines not understood ({n:,})", "yellow")
    if len(cut) > _MOST_NAMED:
        _tell(console, f"… {len(cut) - _MOST_NAMED:,} (--stats)", "yellow")


def _valueless(console: Console, names: list[str]) -> None:
    """One line: which placeholders have no values, and how many rules did not run for that."""
    if not names:
        return
    listed = ", ".join(f"%{name}%" for name in sorted(set(names)))
    told = (
        f"値のないプレースホルダーがあり、{len(names):,} 件のルールは動かしていません(--placeholder): {listed} / "
        f"{len(names):,} rules did not run: placeholders without values"
    )
    _tell(console, told, "yellow")


def stats(console: Console, tally: Tally, loaded: Loaded | None, *, workers: int) -> None:
    """Counts, seconds a stage (of all workers together), events a second and peak memory."""
    console.print(f"events {tally.events:,}  signals {tally.signals:,}  rules hit {len(tally.by_rule):,}")
    if loaded is not None:
        wrong = f"unsupported {loaded.unsupported:,}  problems {len(loaded.problems):,}"
        console.print(f"rules {loaded.rules:,}  {wrong}")
        if loaded.watching:
            counted = f"signals of rules that are only counted {tally.counted:,}"
            console.print(f"correlations and baselines {loaded.watching:,}  {counted}")
        console.print(f"load     {loaded.seconds:8.2f} s")
    for (kind, reason), files in sorted(tally.rebuilt.items()):
        console.print(f"rule cache: {files:,} {kind} made again ({reason})")
    for stage, seconds in tally.seconds.items():
        console.print(f"{stage:8} {seconds:8.2f} s")
    if tally.seconds["match"]:
        rate = tally.events / tally.seconds["match"]
        console.print(f"matching {rate:,.0f} events/s  peak memory {_peak(workers)}")
    if tally.passed_over:
        console.print(f"passed over {tally.passed_over:,} (they hold nothing that a rule asks for)")
    for line, n in sorted(tally.counts.items()):
        console.print(f"{line.what} {n:,}  {inert(line.dataset)} {inert(line.reason)}", markup=False)


def _tell(console: Console, text: str, style: str) -> None:
    """A line as it is: a path that is wrapped cannot be copied."""
    console.print(inert(text), style=style, markup=False, soft_wrap=True)


def _peak(workers: int) -> str:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if workers == 1:
        return f"{own:,.0f} MiB"
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{own:,.0f} MiB + {workers} workers of up to {largest:,.0f} MiB"


def _gravest(one: tuple[tuple[str, str, str], int]) -> tuple[int, int, str, str]:
    (level, title, number), n = one
    return -Level(level).rank, -n, title, number
