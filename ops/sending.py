"""Running the sender of a one-way transfer: once, as a timer starts it, or until it is stopped."""

import re
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import typer

from collectors.transfer import keys
from collectors.transfer.manifest import NAME, Manifest
from collectors.transfer.outbox import Outbox
from hinomi.errors import InputError
from hinomi.locking import locked

_ROTATED = 3.5
"""Seconds after which a second look finds the rest of a file that was just rotated away."""


def outbox(sources: Mapping[str, Path], stream: str, out: Path, key: Path, state: Path, most: int) -> Outbox:
    """A sender. Raises InputError for names that no manifest can hold, ConfigError for the key."""
    for name in (stream, *sources):
        if not re.match(NAME, name):
            raise InputError(
                f"「{name}」は名前に使えません(英数字と . _ - だけ、100 文字まで)。",
                f'"{name}" cannot be a name: letters, digits, . _ - only, up to 100',
            )
    return Outbox(stream, keys.private_key(key), out.absolute(), state.absolute(), sources, most)


def run(box: Outbox, every: float, beat: float) -> None:
    """Pack what is new; every: seconds between looks, 0 for a single run; beat: seconds until a batch without lines."""
    stop = threading.Event()
    with alone(box.state):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        box.open()
        try:
            _rounds(box, every, beat, stop)
        finally:
            box.close()


def alone(state: Path) -> IO[str]:
    """Hold the sender's record for this process while the returned file is open."""
    state.mkdir(parents=True, exist_ok=True)
    used = InputError(
        f"この送信の記録は、別の hinomi transfer pack が使っています: {state}",
        f"another hinomi transfer pack uses this record: {state}",
    )
    return locked(state, used)


def _rounds(box: Outbox, every: float, beat: float, stop: threading.Event) -> None:
    last, packed = time.monotonic(), False
    for look in range(2) if not every else iter(int, 1):
        while (made := box.pack()) is not None:
            last, packed = time.monotonic(), True
            _say(box, made)
        due = beat and (time.monotonic() - last >= beat if every else look == 1 and not packed)
        if due and (made := box.pack(beat=True)) is not None:
            last = time.monotonic()
            _say(box, made)
        if stop.wait(every or (_ROTATED if look == 0 else 0)):
            return


def _say(box: Outbox, made: Manifest) -> None:
    lines = sum(file.lines for file in made.files)
    cut = f" 長すぎて分けた行 / cut: {box.cut}" if box.cut else ""
    typer.echo(f"{made.stream} {made.sequence} 番 / batch: {lines:,} 行 lines, {len(made.files)} files{cut}")
    box.cut = 0
