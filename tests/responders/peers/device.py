"""The command line of a switch or router behind a real OpenSSH server (ForceCommand), as the vendors' references have it.

usage: python device.py STATE.json DIALECT — reads commands from standard input until `exit` leaves the device.
Every configured line is kept in the state, so that two states can be compared bit by bit.
"""

import json
import re
import sys
from pathlib import Path

PRIVILEGED = {"configure terminal", "show running-config"}


class Device:
    """Modes as on the real thing: user, privileged, configuration, interface."""

    def __init__(self, state: Path, dialect: str) -> None:
        self.path, self.dialect = state, dialect
        self.state: dict[str, list[str]] = json.loads(state.read_text())
        self.mode, self.port = "user", ""

    def said(self, line: str) -> str | None:
        """The answer to one line; None when the session ends."""
        if self.dialect == "yamaha_rtx":
            return self._router(line)
        if line in ("exit", "quit"):
            if self.mode in ("user", "privileged"):
                return None
            self.mode = "configure" if self.mode == "interface" else "privileged"
            return ""
        if line == "end":
            self.mode = "privileged"
            return ""
        if line == "enable":
            self.mode = "privileged"
            return ""
        if line == "show version":
            return "Cisco IOS Software, C2960 Software"
        if self.mode == "user":
            return "% Invalid input detected at '^' marker."
        return self._configured(line)

    def _configured(self, line: str) -> str:
        if found := re.fullmatch(r"show running-config interface (\S+)", line):
            return self._shown(found[1])
        if line == "configure terminal":
            self.mode = "configure"
            return "Enter configuration commands, one per line.  End with CNTL/Z."
        if found := re.fullmatch(r"interface (\S+)", line):
            if found[1] not in self.state:
                return "% Invalid input detected at '^' marker."
            self.mode, self.port = "interface", found[1]
            return ""
        if self.mode != "interface":
            return "% Invalid input detected at '^' marker."
        return self._interface(line)

    def _interface(self, line: str) -> str:
        lines = [one for one in self.state[self.port] if one != line.removeprefix("no ")]
        if re.fullmatch(r"(no )?switchport access vlan( \d+)?", line):
            lines = [one for one in lines if not one.startswith("switchport access vlan")]
        elif line not in ("shutdown", "no shutdown"):
            return "% Invalid input detected at '^' marker."
        self.state[self.port] = sorted([*lines, *([] if line.startswith("no ") else [line])])
        self.path.write_text(json.dumps(self.state, sort_keys=True))
        return ""

    def _shown(self, port: str) -> str:
        if port not in self.state:
            return "% Invalid input detected at '^' marker."
        body = "\n".join(f" {line}" for line in self.state[port])
        return f"Building configuration...\n\nCurrent configuration : 99 bytes\n!\ninterface {port}\n{body}\nend\n"

    def _router(self, line: str) -> str | None:
        if line == "exit":
            return None
        if line in ("administrator", "show environment"):
            self.mode = "privileged"
            return ""
        if line == "show config":
            return "\n".join(line for lines in self.state.values() for line in lines)
        if found := re.fullmatch(r"(no )?lan shutdown (\S+)", line):
            name = found[2]
            if name not in self.state or self.mode != "privileged":
                return "エラー: パラメータが不正です"
            kept = [one for one in self.state[name] if one != f"lan shutdown {name}"]
            self.state[name] = sorted([*kept, *([] if found[1] else [f"lan shutdown {name}"])])
            self.path.write_text(json.dumps(self.state, sort_keys=True))
            return ""
        return "エラー: コマンド名を確認してください"


def main() -> None:
    """Talk until the session ends."""
    device = Device(Path(sys.argv[1]), sys.argv[2])
    for line in sys.stdin:
        answer = device.said(" ".join(line.split()))
        if answer is None:
            return
        if answer:
            print(answer, flush=True)


if __name__ == "__main__":
    main()
