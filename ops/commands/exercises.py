"""hinomi exercises: drills and trainings that took place, as evidence of clause 5.2."""

from datetime import date, datetime
from pathlib import Path

import typer

from hinomi.text import inert
from hinomi.words import Words
from ops.opened import opened, operator
from responders.exercises import What, held
from responders.roles import OPERATOR

DATA = typer.Option(..., "--data", help="データフォルダ / data folder")
_WHAT = {What.DRILL: "訓練 / drill", What.TRAINING: "研修 / training"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    exercises = typer.Typer(help="訓練と研修の記録 / drills and trainings", no_args_is_help=True)
    app.add_typer(exercises, name="exercises")

    @exercises.command()
    def add(
        title: str = typer.Argument(help="題名 / title"),
        what: What = typer.Option(What.DRILL, "--what", help="訓練か研修 / drill or training"),
        on: datetime = typer.Option(..., "--on", formats=["%Y-%m-%d"], help="行った日 / the day"),
        took_part: list[str] = typer.Option(
            ..., "--took-part", help="参加者(所属・氏名・役職。繰り返せる)/ who took part, one each"
        ),
        result: str = typer.Option("", "--result", help="結果 / how it went"),
        data: Path = DATA,
    ) -> None:
        """行った訓練・研修を記録する / record one that took place."""
        day: date = on.date()
        with opened(data) as place:
            said = Words(result, result)
            place.desk.exercises.add(
                what, day, title, took_part, actor=operator(), roles=[OPERATOR], result=said
            )
        typer.echo(f"記録しました: {inert(title, 80)} / recorded")

    @exercises.command("list")
    def shown(data: Path = DATA) -> None:
        """一覧 / list, newest first."""
        with opened(data) as place:
            found = held(place.records)
        for one in found:
            typer.echo(f"{one.on}  {_WHAT[one.what]}  {inert(one.title, 80)}  {inert(one.result_ja, 200)}")
            typer.echo("    " + "、".join(inert(person, 60) for person in one.people))
