"""Switches and routers over SSH: a port shut or moved to the quarantine VLAN, a segment cut at the border.

Facts: Cisco IOS, Allied Telesis AlliedWare Plus and Yamaha SWX command references: `configure terminal`, `interface <port>`,
`shutdown`, `switchport access vlan <n>`, `end`, `show running-config interface <port>`; errors begin with `%`. Yamaha RTX:
`administrator`, `lan shutdown <lan>`, `no lan shutdown <lan>`, `show config`; errors are `エラー:` / `Error:`.
The client is OpenSSH: keys only, the host key must be known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.errors import HinomiError, Refused
from hinomi.text import inert
from responders.connectors.commands import keys_only, run
from responders.connectors.protocol import Done, Kind

_PORT = re.compile(r"[A-Za-z][A-Za-z0-9/._-]{0,40}")
_BAD = re.compile(r"^\s*(%|エラー:|Error:)", re.MULTILINE)


class SshNetwork(Section):
    """A switch or router. ports: machine → port; segments: name → interface; vlan: of quarantine. The account may do just
    `interface`, `shutdown`, `switchport access vlan` and `show` (a privilege level of its own)."""

    kind: Literal["ssh_network"]
    host: str
    port: int = Field(default=22, ge=1, le=65535)
    user: str
    key: Path
    known_hosts: Path
    dialect: Literal["cisco_ios", "allied_telesis", "yamaha_switch", "yamaha_rtx"] = "cisco_ios"
    vlan: int = Field(default=999, ge=1, le=4094)
    ports: dict[str, str] = Field(default_factory=dict)
    segments: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """A port as its configuration says."""

    shut: bool
    vlan: str


@dataclass(frozen=True, slots=True)
class Network:
    """`switch.shut_port`, `switch.quarantine` with {host}; `router.cut_segment` with {segment}."""

    settings: SshNetwork

    def knows(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the machine's port, or the segment's, is on this device."""
        known, name = self._known(action, values)
        return name in known

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Reads the port and says whether it would change."""
        port = self._port(action, values)
        if self._so(action, self._state(port)):
            return Done(f"{port} は既にそうなっています。", f"{port} is so already", changed=False)
        return Done(*self._words(action, port, "します", "would be"))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The port's configuration."""
        port = self._port(action, values)
        state = self._state(port)
        return {"port": port, "shut": state.shut, "vlan": state.vlan}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Configure the port, unless it is so already."""
        port = self._port(action, values)
        if self._so(action, self._state(port)):
            return Done(f"{port} は既にそうなっていました。", f"{port} was so already", changed=False)
        wanted = f"switchport access vlan {self.settings.vlan}" if self._moves(action) else "shutdown"
        self._configure(port, wanted)
        return Done(*self._words(action, port, "しました", "is"))

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the running configuration says so."""
        return self._so(action, self._state(self._port(action, values)))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """The port as it was."""
        port = str(before["port"])
        now = self._state(port)
        if self._moves(action):
            if now.vlan != before["vlan"]:
                vlan = before["vlan"]
                self._configure(
                    port, f"switchport access vlan {int(vlan)}" if vlan else "no switchport access vlan"
                )
        elif now.shut and not before["shut"]:
            self._configure(port, "no shutdown")
        return Done(f"{port} を元に戻しました。", f"{port} is as it was")

    def health(self) -> str:
        """Signs in and asks for the version."""
        try:
            self._talk(["show version"] if self._likes_cisco else ["show environment"])
        except HinomiError as error:
            return error.ja
        return ""

    @property
    def _likes_cisco(self) -> bool:
        return self.settings.dialect != "yamaha_rtx"

    def _moves(self, action: str) -> bool:
        return action == "switch.quarantine"

    def _so(self, action: str, state: State) -> bool:
        return state.vlan == str(self.settings.vlan) if self._moves(action) else state.shut

    def _words(self, action: str, port: str, ja: str, en: str) -> tuple[str, str]:
        if self._moves(action):
            vlan = self.settings.vlan
            return f"{port} を隔離 VLAN {vlan} に移{ja}。", f"{port} {en} moved to quarantine VLAN {vlan}"
        return f"{port} を閉鎖{ja}。", f"{port} {en} shut"

    def _port(self, action: str, values: Mapping[str, str]) -> str:
        known, name = self._known(action, values)
        port = known.get(name, "")
        if not _PORT.fullmatch(port):
            raise Refused(
                f"「{name}」のつながる口が設定にありません。",
                f'no port is configured for "{inert(name, 60)}"',
            )
        return port

    def _known(self, action: str, values: Mapping[str, str]) -> tuple[dict[str, str], str]:
        if action == "router.cut_segment":
            return self.settings.segments, values["segment"]
        return self.settings.ports, values["host"]

    def _state(self, port: str) -> State:
        if not self._likes_cisco:
            lines = self._talk(["show config"]).splitlines()
            return State(f"lan shutdown {port}" in (line.strip() for line in lines), "")
        said = self._talk(["enable", f"show running-config interface {port}"])
        lines = [line.strip() for line in said.splitlines()]
        vlans = [line.rsplit(" ", 1)[1] for line in lines if line.startswith("switchport access vlan ")]
        return State("shutdown" in lines, vlans[-1] if vlans else "")

    def _configure(self, port: str, command: str) -> None:
        if self._likes_cisco:
            self._talk(["enable", "configure terminal", f"interface {port}", command, "end"])
            return
        word = "no lan shutdown" if command == "no shutdown" else "lan shutdown"
        self._talk(["administrator", f"{word} {port}"])

    def _talk(self, commands: list[str]) -> str:
        """One session; its words. Raises Refused where the device does not take a command."""
        own = self.settings
        login = [
            "ssh",
            "-T",
            *keys_only(own.key, own.known_hosts),
            *("-p", str(own.port)),
            *("-l", own.user),
            "--",
            own.host,
        ]
        said = run(
            login, what=f"機器 {own.host}", stdin="\n".join([*commands, "exit", "exit", ""]), refused=()
        )
        if _BAD.search(said):
            words = next(line for line in said.splitlines() if _BAD.match(line))
            raise Refused(
                f"機器が断りました({inert(words, 120)})。", f"the device refused: {inert(words, 120)}"
            )
        return said


KIND = Kind(
    "ssh_network",
    SshNetwork,
    Network,
    frozenset({"switch.shut_port", "switch.quarantine", "router.cut_segment"}),
)
