"""Every source under a coverage-guided fuzzer (atheris, libFuzzer) for some minutes.

usage: python -m benchmarks.fuzz [--seconds 300] [--runs N --seed N] [--sources NAME …]

Starts from the lines of the test files. What must hold of each input: no exception, each line in exactly one frame or
rejected, each column in the type of its name. A failure prints the source and the line, and leaves them in a file.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "collectors" / "sources"
_MOST = 4096  # bytes of one input


def main() -> None:
    """One process for all sources that are asked for; libFuzzer ends it by its clock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--runs", type=int, default=-1, help="so many inputs at most")
    parser.add_argument("--seed", type=int, default=0, help="the same ones again; 0: others each time")
    parser.add_argument("--sources", nargs="*", default=[])
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        bounds = [f"-max_total_time={given.seconds}", f"-runs={given.runs}", f"-seed={given.seed}"]
        _fuzz(Path(given.inside), bounds, given.sources)
        return
    with tempfile.TemporaryDirectory() as folder:
        _seed(Path(folder), given.sources)
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz",
            "--inside",
            folder,
            "--seconds",
            str(given.seconds),
            "--runs",
            str(given.runs),
            "--seed",
            str(given.seed),
        ]
        done = subprocess.run(
            [*command, "--sources", *given.sources], check=False, capture_output=True, text=True
        )
        print(done.stderr[-4000:] if done.returncode else _told(done.stderr))
        for crash in Path(folder).glob("crash-*"):
            kept = Path(f"fuzz-{crash.name[:16]}.bin")
            kept.write_bytes(crash.read_bytes())
            print(f"the input is in {kept}")
    raise SystemExit(done.returncode)


def _told(log: str) -> str:
    """The last lines of libFuzzer's account: runs and coverage."""
    lines = log.splitlines()
    coverage = [line for line in lines if " cov: " in line][-1:]
    return "\n".join(coverage + [line for line in lines if line.startswith("Done")])


def _names(asked: list[str]) -> list[str]:
    from collectors import catalogue

    return asked or sorted(catalogue.sources())


def _seed(folder: Path, asked: list[str]) -> None:
    """A file an example: the number of the source in two bytes, then the line."""
    from hinomi import yamlfile

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, name in enumerate(_names(asked)):
        path = _FOLDER / f"{name.replace('.', '_', 1)}.test.yml"
        for place, case in enumerate(yamlfile.read(path).value or []):
            line = str(case["raw"]).encode()[: _MOST - 2]
            (corpus / f"{number:03}-{place:02}").write_bytes(number.to_bytes(2, "big") + line)


def _fuzz(folder: Path, bounds: list[str], asked: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["collectors", "hinomi.ecs"]):
        from collectors import catalogue

        every = [catalogue.find(name) for name in _names(asked)]

    def one(data: bytes) -> None:
        if len(data) >= 2:
            check(every[int.from_bytes(data[:2], "big") % len(every)], data[2:].decode("utf-8", "replace"))

    arguments = [
        sys.argv[0],
        str(folder / "corpus"),
        *bounds,
        f"-max_len={_MOST}",
        "-timeout=10",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup(arguments, one)
    atheris.Fuzz()


def check(source: Any, line: str) -> None:
    """What must hold of every line. Raises AssertionError, or what the source raised."""
    from datetime import UTC, datetime

    import polars as pl

    from hinomi import ecs

    lines = [line, "", line[: len(line) // 2]]
    intake = pl.DataFrame({"message": lines, "peer": [""] * 3}).with_columns(
        pl.lit(datetime(2026, 11, 20, tzinfo=UTC)).cast(ecs.TIME).alias("received")
    )
    parsed = source.parse(intake)
    rows = [row for frame in [*parsed.frames, parsed.rejected] for row in frame["row"].to_list()]
    assert sorted(rows) == [0, 1, 2], f"{source.name}: rows {rows}"
    for frame in parsed.frames:
        for column in set(frame.columns) - {"row"}:
            want = ecs.column_type(column)
            allowed = [want] if want else [pl.String(), pl.List(pl.String())]
            assert frame.schema[column] in allowed, f"{source.name}: {column} is {frame.schema[column]}"


if __name__ == "__main__":
    main()
