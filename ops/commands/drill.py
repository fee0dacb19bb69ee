"""hinomi drill: an exercise from raw log to report draft, with every interval measured."""

import signal
import tempfile
from pathlib import Path

import typer

from hinomi.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def drill(
        out: Path = typer.Option(None, "--out", help="置き場所(空のフォルダ)/ an empty folder"),
        by_hand: bool = typer.Option(
            False, "--by-hand", help="確認と承認を人が画面で行う / people acknowledge and approve"
        ),
    ) -> None:
        """訓練:検知から報告の下書きまでを通し、かかった時間を測る / drill from detection to report draft."""
        from ops.drill import Drill

        folder = out or Path(tempfile.mkdtemp(prefix="hinomi-drill-"))
        if folder.exists() and any(folder.iterdir()):
            raise InputError("空のフォルダを指定してください。", "the folder is not empty")
        folder.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its tower is stopped as by Ctrl-C
        report = Drill(folder, by_hand, say=typer.echo).run()
        typer.echo(f"訓練報告書 / drill report: {report}")
        typer.echo(
            "同じ場所に HTML・表計算・JSON、英語版と報告の下書き / beside it: HTML, XLSX, JSON, English, the draft"
        )
