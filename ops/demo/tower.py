"""The demo's own tower: the city's configuration written for a scenario, `hinomi up` started on it."""

import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from hinomi.errors import HinomiError
from ops.demo.scenario import Manifest
from ops.ports import free_ports
from ops.rundir import RunDir, alive
from ops.supervisor import python

PEOPLE = {
    "sato": {
        "name_ja": "情報政策課 佐藤",
        "name_en": "Sato, information policy",
        "channels": ["messages"],
        "phone": "000-0000-0001",
    },
    "suzuki": {
        "name_ja": "情報政策課長 鈴木",
        "name_en": "Suzuki, head of section",
        "channels": ["messages"],
        "phone": "000-0000-0002",
        "office": "information_system_manager",
    },
    "ciso": {
        "name_ja": "副市長(CISO)",
        "name_en": "Deputy mayor (CISO)",
        "channels": ["messages"],
        "phone": "000-0000-0003",
        "office": "ciso",
    },
}
CONTACTS = {
    "csirt": ("csirt", "市 CSIRT(統一的な窓口)", "000-0000-0010", "24時間", 10, 1),
    "resident_section": ("department", "市民課(住民記録の所管)", "000-0000-0011", "平日 8:30〜17:15", 20, 2),
    "maintainer": ("vendor", "住民記録システム保守事業者", "000-0000-0012", "24時間", 30, 2),
    "prefecture": ("prefecture", "県 市町村課", "000-0000-0013", "平日 8:30〜17:15", 40, 3),
}
_WAIT = 240.0  # a busy machine compiles every rule in that time


@dataclass(slots=True)
class DemoTower:
    """Data folder, configuration, the ports of each source's listener, and the running process."""

    folder: Path
    manifest: Manifest
    ports: dict[str, int] = field(default_factory=dict)
    console_port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "hinomi.yaml"

    @property
    def drop(self) -> Path:
        """Where the sources that come as files put them."""
        return self.folder / "incoming"

    def configure(self) -> None:
        """Write hinomi.yaml for the scenario."""
        streams = self.manifest.streams
        ports = iter(free_ports(len(streams) + 1))
        self.console_port = next(ports)
        listen: dict[str, object] = {}
        for stream in streams:
            name = stream.source.replace(".", "-")
            if stream.transport == "file":
                (self.drop / name).mkdir(parents=True, exist_ok=True)
                listen[name] = {
                    "kind": "folder",
                    "path": str(self.drop / name),
                    "source": stream.source,
                    "encoding": stream.encoding,
                }
                continue
            self.ports[stream.source] = next(ports)
            kind = "tcp" if stream.transport == "syslog_tcp" else "http"
            body: dict[str, object] = {
                "kind": kind,
                "address": "127.0.0.1",
                "port": self.ports[stream.source],
            }
            body["source"] = "auto" if kind == "tcp" else stream.source
            if kind == "http":
                body["token"] = "env:HINOMI_DEMO_TOKEN"  # noqa: S105  # a reference, not a secret
            listen[name] = body
        self.config.write_text(
            yaml.safe_dump(self._settings(listen), allow_unicode=True, sort_keys=False), "utf-8"
        )

    def _settings(self, listen: dict[str, object]) -> dict[str, object]:
        zones = yaml.safe_load(self.manifest.zones.read_text(encoding="utf-8"))["zones"]
        return {
            "listen": listen,
            "enrich": {
                "zones": zones,
                "staff": str(self.manifest.staff),
                "assets": str(self.manifest.assets),
                "geo_override": str(self.manifest.geo),
            },
            "console": {"port": self.console_port, "organization": "火の見市(架空)"},
            "metrics": {"port": 0},
            "rules": {"lateness_minutes": 26 * 60},  # a whole day comes in seconds, its sources side by side
            "respond": {
                "incidents": {"common_addresses": ["198.51.100.10"]},
                "oncall": {
                    "people": PEOPLE,
                    "layers": [{"people": ["sato"]}],
                    "escalation": {
                        grade: [
                            {"after_minutes": 0, "to": ["oncall"]},
                            {"after_minutes": 15, "to": ["suzuki"]},
                            {"after_minutes": 30, "to": ["ciso"]},
                        ]
                        for grade in (1, 2, 3)
                    },
                },
                "contacts": {
                    "bodies": {
                        name: {
                            "role": role,
                            "name_ja": name_ja,
                            "phone": phone,
                            "hours": hours,
                            "order": order,
                            "grade": grade,
                        }
                        for name, (role, name_ja, phone, hours, order, grade) in CONTACTS.items()
                    }
                },
                "notify": {
                    "base_url": f"http://127.0.0.1:{self.console_port}",
                    "bundle_seconds": 5,
                    "channels": {"messages": {"kind": "file", "folder": str(self.folder / "messages")}},
                },
            },
        }

    def start(self) -> None:
        """Start `hinomi up` and wait until it is ready. Raises HinomiError with where its log is."""
        argv = python("ops.cli", "up", "--data", str(self.data), "--config", str(self.config))
        environment = {**os.environ, "HINOMI_DEMO_TOKEN": self.token, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        deadline = time.monotonic() + _WAIT
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise HinomiError(
                    f"起動できませんでした。記録: {log.name}", f"it did not start; see {log.name}"
                )
            time.sleep(0.1)

    def ready(self) -> bool:
        """Whether every process says that it is ready."""
        run = RunDir.of(self.data)
        children = run.read("supervisor").get("children", [])
        return bool(children) and all(
            (said := run.read(child["name"])).get("ready") and alive(int(said["pid"])) for child in children
        )

    def stop(self) -> None:
        """Stop gracefully."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)
