"""Points in the middle of an act: before and after each request that changes a target, and which of them were sent.

Installed in a process that will die: it replaces how programs are run, web APIs are called and a directory is changed. What was
sent is on disk before the next point, so that the list tells of every change that took place, whoever died after it.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import ldap3

from responders.connectors.protocol import Connector, Done, Searching
from tests.responders.playbooks.dying import Point

Sent = Counter[tuple[str, str, str]]
"""How often: act or undo, the action and its value, what was sent."""


@dataclass(slots=True)
class Touching:
    """What is under way, and the list. own: the connectors that it stands before."""

    own: Any
    log: Path
    point: Point
    doing: tuple[str, str] | None = None

    def __call__(self, action: str, on: str = "") -> "Touched | None":
        """See `Targets`."""
        connector = self.own(action, on)
        return connector and Touched(connector, self)

    def install(self) -> None:
        """For the rest of this process's life."""
        run, send, modify = subprocess.run, httpx.Client.send, ldap3.Connection.modify

        def running(command: Sequence[str], **more: Any) -> Any:
            words = more.get("input") or ""
            what = None if _only_reads(command, words) else f"{Path(command[0]).name}: {words or command[1:]}"
            return self._changing(what, lambda: run(command, **more), lambda said: said.returncode == 0)

        def sending(client: httpx.Client, request: httpx.Request, **more: Any) -> Any:
            what = f"{request.method} {request.url.path}" if _asks_to_change(request) else None
            return self._changing(
                what, lambda: send(client, request, **more), lambda said: bool(said.is_success)
            )

        def modifying(connection: Any, dn: str, changes: Mapping[str, Any], *rest: Any) -> Any:
            what = f"modify {dn} {sorted(changes)}"
            return self._changing(what, lambda: modify(connection, dn, changes, *rest), bool)

        subprocess.run = running  # type: ignore[assignment]
        httpx.Client.send = sending  # type: ignore[method-assign]
        ldap3.Connection.modify = modifying  # type: ignore[method-assign]

    def _changing(self, what: str | None, change: Any, done: Any) -> Any:
        if self.doing is None or what is None:
            return change()
        self.point()
        said = change()
        if done(said):
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps([*self.doing, what]) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self.point()
        return said


@dataclass(frozen=True, slots=True)
class Touched:
    """A connector whose acts and undoing are watched, and end in a point."""

    own: Connector
    touching: Touching

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        return isinstance(self.own, Searching) and self.own.searches(action)

    def within(self, extent: Collection[str]) -> "Touched":
        """See `Searching`; watched, too."""
        return Touched(cast(Searching, self.own).within(extent), self.touching)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        return self._watched("act", action, values, lambda: self.own.act(action, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """See `Connector`."""
        return self._watched("undo", action, values, lambda: self.own.undo(action, values, before))

    def _watched(self, what: str, action: str, values: Mapping[str, str], change: Any) -> Done:
        self.touching.doing = what, f"{action} {next(iter(values.values()))}"
        try:
            said: Done = change()
        finally:
            self.touching.doing = None
        self.touching.point()
        return said


def sent(log: Path) -> Sent:
    """What the list holds."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Counter(tuple(json.loads(line)) for line in lines)


def _only_reads(command: Sequence[str], words: str) -> bool:
    if Path(command[0]).name == "ssh":
        return "configure terminal" not in words and "lan shutdown" not in words
    if Path(command[0]).name == "sftp":
        return words.startswith("ls ")
    return "-j" in command  # nft lists a set


def _asks_to_change(request: httpx.Request) -> bool:
    if request.method == "GET" or request.url.path.endswith(("/token", "/authenticate")):
        return False
    if request.url.path.endswith("/$batch"):
        return b'"method":"POST"' in request.content
    return b"%3Cshow%3E" not in request.content
