"""hinomi hunt: detection over files at rest, without a store."""

import atexit
import sys
from pathlib import Path

import typer

from hinomi.collecting import no_collection, stay
from hinomi.errors import InputError
from ops import own_sources
from ops.folders import cache_folder


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def hunt(
        paths: list[Path] = typer.Argument(
            ..., help="EVTX、JSON lines、生ログ / files or folders", exists=True
        ),
        rules: list[Path] = typer.Option(..., "--rules", help="Sigma ルール / rule folders", exists=True),
        pipeline: list[str] = typer.Option(
            [], "--pipeline", "-p", help="pySigma のパイプライン(ファイルか名前) / a pipeline, file or name"
        ),
        placeholder: list[str] = typer.Option(
            [], "--placeholder", help="名前=値,値 / values of a placeholder"
        ),
        source: str = typer.Option("", help="テキストの形式を決め打ちする / force the source of text files"),
        sources: list[Path] = own_sources.OPTION,
        jsonl: bool = typer.Option(False, "--jsonl", help="1行1シグナルの JSON / one signal a line"),
        timezone: str = typer.Option(
            "Asia/Tokyo", "--timezone", help="時間帯のない時刻の時間帯 / zone of times that name none"
        ),
        workers: int = typer.Option(
            0,
            "--workers",
            min=0,
            max=256,
            help="並べて動かすプロセスの数。0 はコアの数(少ないログでは1) / processes side by side; 0: one a core, 1 for little",
        ),
        strict: bool = typer.Option(
            False,
            "--strict",
            help="読めない形式のファイルや解析できない行でも終了コード1 / exit 1 for files and lines not understood, too",
        ),
        stats: bool = typer.Option(False, "--stats", help="件数と時間を表示 / show counts and times"),
    ) -> None:
        """手元のファイルを調べる / detect in files without storing them.

        開けない・壊れたファイルや使えないルールがあれば終了コードは 1(知らない形式、解析できない行、値のないルールは名指しするのみ)/
        the exit code is 1 where a file is damaged or cannot be opened or a rule not be used (formats nobody knows, lines not
        understood and rules without values are only named)."""
        atexit.register(stay)  # else all that is loaded is looked through once more before it is thrown away
        with no_collection():
            from ops.hunt import Hunt
            from rules.in_force import InForce

        chosen = InForce(rules, pipeline, _values(placeholder))
        found = Hunt(
            paths, chosen, cache_folder(), source=source, workers=workers, zone=timezone, own=sources
        )
        if jsonl:
            found.write_jsonl(sys.stdout.buffer)
        else:
            found.show(progress=sys.stderr.isatty())
        if stats:
            found.show_stats()
        if not found.complete or (strict and not found.understood):
            raise typer.Exit(1)


def _values(given: list[str]) -> dict[str, list[str]]:
    """`name=value,value` by name. Raises InputError for anything else."""
    found: dict[str, list[str]] = {}
    for one in given:
        name, equals, values = one.partition("=")
        if not equals or not name:
            raise InputError(
                f"--placeholder「{one}」は 名前=値,値 の形で書いてください。",
                f'--placeholder "{one}": write name=value,value',
            )
        found[name.strip("%")] = values.split(",")
    return found
