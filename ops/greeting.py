"""What `hinomi up` says to the person who started it at a terminal: where things are, and how to stop.

Under systemd, in a container or behind a pipe it says nothing: the log is all there is.
"""

import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi.text import inert
from hinomi.words import Words
from ops import journal
from ops.rundir import RunDir

_DOES = {
    "intake": Words("ログの受信", "takes logs in"),
    "pull": Words("SaaS などから取得", "fetches logs"),
    "worker": Words("解析・検知・保存", "parses, detects, stores"),
    "detect": Words("相関", "correlates"),
    "respond": Words("相関・通知・対応", "correlates, notifies, responds"),
    "console": Words("画面", "console"),
}
"""By the first part of a process's name."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """shown: whether a person watches; run: where the processes say what they do; data: as the person wrote it."""

    run: RunDir
    data: Path
    shown: bool

    @classmethod
    def at_terminal(cls, run: RunDir, data: Path) -> "Greeting":
        """Shown where the log goes to a terminal."""
        return cls(run, data, journal.at_terminal())

    def starting(self) -> None:
        """Before the processes are ready: a first start takes some seconds."""
        self._say(["火の見を起動しています(止めるには Ctrl-C)… / starting Hinomi (stop with Ctrl-C)"])

    def ready(self, names: Iterable[str]) -> None:
        """Every process of that name is ready."""
        if not self.shown:
            return
        hinomi = _command()
        data = shlex.quote(str(self.data))
        self._say(
            [
                "",
                "火の見が動いています。 / Hinomi is running.",
                *self._consoles(),
                *self._listeners(),
                *(f"  動作中 / running: {_process(name)}" for name in names),
                f"  点検 / check: {hinomi} doctor --data {data}",
                f"  画面を見る人を加える / add a person: {hinomi} users add 名前/NAME --data {data} --role analyst",
                "  止めるには / to stop: Ctrl-C",
                "",
            ]
        )

    def stopping(self) -> None:
        """Told to stop; what is under way is finished first."""
        self._say(["止めています。手元の分を片付けます… / stopping; what is under way is finished first"])

    def stopped(self) -> None:
        """Everything has ended."""
        self._say(["火の見を止めました。 / Hinomi has stopped."])

    def _consoles(self) -> Iterator[str]:
        url = self.run.read("console").get("url")
        if url:
            yield f"  画面 / console: {url}"

    def _listeners(self) -> Iterator[str]:
        found: dict[str, dict[str, Any]] = self.run.read("intake").get("listeners", {})
        for name, said in found.items():
            yield f"  受け口 / listens: {name} ({said['kind']}) {_state(said)}"
        if not found and self.run.read("intake"):
            yield "  受け口がありません。設定の listen: に書くとログを受け取ります。 / no listener: write one under listen:"

    def _say(self, lines: list[str]) -> None:
        if self.shown:
            print("\n".join(inert(line) for line in lines), file=sys.stderr, flush=True)


def _command() -> str:
    """The command as it can be typed in this folder."""
    called = Path(sys.argv[0])
    if called.name != "hinomi":
        return "hinomi"
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))


def _process(name: str) -> str:
    does = _DOES.get(name.partition("-")[0])
    return f"{name} — {does.ja} / {does.en}" if does else name


def _state(said: dict[str, Any]) -> str:
    if said["problem"] and not said["up"]:
        return f"動いていません: {said['problem']} / is down"
    return f"{said['address']}:{said['port']}" if said["port"] else ""
