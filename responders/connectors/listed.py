"""Names in a file that a server reads: one line a name of ours, all other lines left as they stand, byte for byte."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi.durable import replaced
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.named import why
from responders.connectors.commands import run
from responders.connectors.protocol import Done

_SETTLES, _PAUSE = 2.0, 0.2
"""Seconds that a server gets for taking a change up, and between two looks: people are called by the same thread, and a step
whose target is not there yet is tried again."""
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


@dataclass(frozen=True, slots=True)
class ListedNames:
    """A connector over such a file. line: how a name is written; reload: what makes the server read it again, and may return
    before it has; probe: whether the server itself denies the name (None: the file is all that can be seen). Whether a name is
    allowed again is not asked: the question would go out to the attacker's server, or to whoever answers for it."""

    what: str
    file: Path
    reload: list[str]
    line: Callable[[str], str]
    probe: Callable[[str], bool] | None = None

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether the name is there already."""
        name = name_of(values)
        if self._there(name):
            return Done(f"{name} は既に拒否しています。", f"{name} is denied already", changed=False)
        return Done(f"{name} を{self.what}の一覧に加えます。", f"add {name} to the list of {self.what}")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Whether the line is there, and whether the file ended in a line end."""
        content = self._read()
        return {"listed": self._there(name_of(values)), "ended": content.endswith(b"\n") or not content}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Add the line and have the server read the file; the second is done again after a crash in between."""
        name, changed = name_of(values), False
        if not self._there(name):
            content = self._read()
            end = b"" if content.endswith(b"\n") or not content else b"\n"
            self._write(content + end + self.line(name).encode() + b"\n")
            changed = True
        run(self.reload, what=self.what)
        return Done(f"{name} を拒否しました。", f"denied {name}", changed=changed)

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the line is there and, where it can be asked, the server denies the name once it has read it."""
        name = name_of(values)
        return self._there(name) and self._denies(name)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take our line away, unless it was there before."""
        name = name_of(values)
        if before.get("listed"):
            return Done(
                f"{name} はもともと拒否していました。", f"{name} had been denied before", changed=False
            )
        if self._there(name):
            own = self.line(name).encode()
            lines = self._read().splitlines(keepends=True)
            content = b"".join(line for line in lines if line.rstrip(b"\r\n") != own)
            self._write(content if before.get("ended", True) else content.removesuffix(b"\n"))
        run(self.reload, what=self.what)
        return Done(f"{name} の拒否を解きました。", f"allowed {name} again")

    def health(self) -> str:
        """The file can be read and written."""
        try:
            self._read()
        except HinomiError as error:
            return error.ja
        if not os.access(self.file.parent, os.W_OK):
            return f"{self.file.parent} に書けません / cannot be written"
        return ""

    def _denies(self, name: str) -> bool:
        """Whether the server does, once it has read its file; True where it cannot be asked."""
        probe = self.probe
        return probe is None or settles(lambda: probe(name))

    def _there(self, name: str) -> bool:
        return self.line(name).encode() in self._read().splitlines()

    def _read(self) -> bytes:
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise DependencyDown(
                f"{self.file} を読めません({why(error).ja})。", f"cannot read {self.file}: {error.strerror}"
            ) from None

    def _write(self, content: bytes) -> None:
        """Whole or not at all, with the owner and rights that the file had."""
        try:
            old = self.file.stat()
            with replaced(self.file, mode=old.st_mode & 0o7777) as file:
                file.write(content)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
        except OSError as error:
            raise DependencyDown(
                f"{self.file} に書けません({why(error).ja})。", f"cannot write {self.file}: {error.strerror}"
            ) from None


def settles(so: Callable[[], bool]) -> bool:
    """Whether it is so within the time that a server may take to take a change up."""
    until = time.monotonic() + _SETTLES
    while not so():
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE)
    return True


def name_of(values: Mapping[str, str]) -> str:
    """The host name of an act, lower case. Raises Refused for anything else."""
    name = values["name"].strip().rstrip(".").lower()
    if not _NAME.fullmatch(name):
        raise Refused(
            f"「{values['name']}」はホスト名ではありません。", f'"{values["name"]}" is no host name'
        )
    return name
