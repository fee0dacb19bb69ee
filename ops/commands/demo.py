"""hinomi demo: see it work."""

import signal
from datetime import datetime
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def demo(
        folder: Path = typer.Option(
            None, help="置き場所(既定: 一時フォルダ)/ where (default: a temporary folder)"
        ),
        keep: bool = typer.Option(False, "--keep", help="動かしたままにする / leave it running"),
        scale: float = typer.Option(1.0, min=0.01, max=20, help="平常の通信の量 / share of the dull traffic"),
        seed: int = typer.Option(1, help="乱数の種 / seed"),
        date: datetime = typer.Option(None, formats=["%Y-%m-%d"], help="日付 / the day"),
    ) -> None:
        """架空の市の1日を流して、見つかったことを示す / run a fictitious city's day and show what was found."""
        from ops.demo.run import run

        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its tower is stopped as by Ctrl-C
        good = run(folder, keep=keep, scale=scale, seed=seed, day=date.date() if date else None)
        raise typer.Exit(0 if good else 1)
