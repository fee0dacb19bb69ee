"""hinomi drill: an exercise from raw log to report draft, with every interval measured."""

import signal
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hinomi.clock import JST
from hinomi.errors import InputError
from ops.opened import opened, operator
from responders.exercises import What, participants
from responders.roles import OPERATOR

if TYPE_CHECKING:
    from ops.drill import Drill

_TITLE = "火の見の通し訓練(VPN から LGWAN 接続系)"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def drill(
        out: Path = typer.Option(None, "--out", help="置き場所(空のフォルダ)/ an empty folder"),
        by_hand: bool = typer.Option(
            False, "--by-hand", help="確認と承認を人が画面で行う / people acknowledge and approve"
        ),
        took_part: list[str] = typer.Option(
            [], "--took-part", help="参加者(所属・氏名・役職。繰り返せる)/ who takes part, one each"
        ),
        record_in: Path = typer.Option(
            None, "--record-in", help="結果と参加者を記録する市のデータフォルダ / the city's data folder"
        ),
    ) -> None:
        """訓練:検知から報告の下書きまでを通し、かかった時間を測る / drill from detection to report draft."""
        from ops.drill import Drill

        folder = out or Path(tempfile.mkdtemp(prefix="hinomi-drill-"))
        if folder.exists() and any(folder.iterdir()):
            raise InputError("空のフォルダを指定してください。", "the folder is not empty")
        if record_in and not took_part:
            raise InputError("--took-part で参加者を指定してください。", "name who takes part by --took-part")
        people = participants(took_part) if took_part else []
        if record_in:
            with opened(record_in):
                pass  # it is there and can be opened: known before people spend their time
        folder.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its tower is stopped as by Ctrl-C
        held = Drill(folder, by_hand, people, say=typer.echo)
        try:
            report = held.run()
            typer.echo(f"訓練報告書 / drill report: {report}")
        finally:
            if record_in:
                _recorded(held, record_in)
        typer.echo(
            "同じ場所に HTML・表計算・JSON、英語版と報告の下書き / beside it: HTML, XLSX, JSON, English, the draft"
        )


def _recorded(drill: "Drill", data: Path) -> None:
    """What came of it, a drill that got stuck as well, into the records of the city."""
    if drill.course is None:
        return  # it never began
    report = sha256(drill.report.read_bytes()).hexdigest() if drill.report else ""
    began = drill.course.began.astimezone(JST)
    with opened(data) as place:
        place.desk.exercises.add(
            What.DRILL,
            began.date(),
            f"{_TITLE} {began:%H:%M}",  # two shifts of one day are two drills
            drill.people,
            actor=operator(),
            roles=[OPERATOR],
            result=drill.course.result,
            report=report,
        )
    typer.echo(f"記録しました / recorded in: {data}")
