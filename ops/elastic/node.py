"""One Elasticsearch node as a process of an unprivileged uid, with TLS and security on."""

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hinomi.errors import DependencyDown
from ops.elastic.distribution import java

_NOBODY = 65534
_ROUNDS = 10_000
_VECTORS = "jdk.incubator.vector"  # quicker vector search, which some builds of Java lack and we do not use
_START = 180.0  # seconds; twenty on a quiet machine


@dataclass(frozen=True, slots=True)
class User:
    """A user of the file realm."""

    name: str
    password: str
    roles: tuple[str, ...]


@dataclass(slots=True)
class Node:
    """A node: its folder (configuration, certificates, data, logs), its ports (http 0: any), and its process."""

    home: Path
    folder: Path
    name: str
    transport: int
    seeds: Sequence[int]
    masters: Sequence[str]
    heap_mb: int = 512
    http: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def configuration(self) -> Path:
        """Where its settings are."""
        return self.folder / "config"

    def prepare(self, users: Sequence[User], roles: str) -> None:
        """Write its configuration. roles: text of roles.yml. Certificates are expected in `config/certs`."""
        for name in ("config/certs", "data", "logs", "tmp", "snapshots"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(self.home / "config" / "log4j2.properties", self.configuration / "log4j2.properties")
        options = (self.home / "config" / "jvm.options").read_text(encoding="utf-8")
        self._write("jvm.options", "".join(line for line in options.splitlines(True) if _VECTORS not in line))
        self._write("elasticsearch.yml", json.dumps(self._settings(), indent=1))
        self._write("users", "".join(f"{user.name}:{_hashed(user.password)}\n" for user in users))
        self._write("users_roles", _users_roles(users))
        self._write("roles.yml", roles)
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY)

    def add(self, users: Sequence[User], roles: str) -> None:
        """Add users and roles to those of a node that runs."""
        added = "".join(f"{user.name}:{_hashed(user.password)}\n" for user in users)
        for name, text in (("roles.yml", roles), ("users_roles", _users_roles(users)), ("users", added)):
            path = self.configuration / name
            part = path.with_suffix(".part")
            part.touch(mode=0o600)
            part.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
            if os.geteuid() == 0:
                os.chown(part, _NOBODY, _NOBODY)
            part.replace(path)

    def _write(self, name: str, text: str) -> None:
        path = self.configuration / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def _settings(self) -> dict[str, object]:
        tls = {
            f"xpack.security.{layer}.ssl.{key}": value
            for layer in ("transport", "http")
            for key, value in _TLS.items()
        }
        return {
            "cluster.name": "hinomi-local",
            "node.name": self.name,
            "node.portsfile": True,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "path.repo": [str(self.folder.parent / "snapshots")],
            "network.host": "127.0.0.1",
            "http.port": self.http,
            "transport.port": self.transport,
            "discovery.seed_hosts": [f"127.0.0.1:{port}" for port in self.seeds],
            "cluster.initial_master_nodes": list(self.masters),
            "cluster.routing.allocation.disk.threshold_enabled": False,
            "xpack.security.enabled": True,
            "xpack.security.autoconfiguration.enabled": False,
            "xpack.security.authc.realms.file.users.order": 0,
            "resource.reload.interval.high": "1s",
            **tls,
        }

    def again(self) -> None:
        """Start a node that was killed, on the port that it had: its clients know no other."""
        self.http = self.port() or self.http
        self._write("elasticsearch.yml", json.dumps(self._settings(), indent=1))
        self.start()

    def start(self) -> None:
        """Start the process; `wait` says when it answers."""
        for ports in (self.folder / "logs").glob("*.ports"):
            ports.unlink()
        heap = f"-Xms{self.heap_mb}m -Xmx{self.heap_mb}m"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "ES_PATH_CONF": str(self.configuration),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_JAVA_HOME": str(java(21 if self.home.name.startswith("elasticsearch-9") else 17).parents[1]),
            "ES_JAVA_OPTS": f"{heap} -XX:-HeapDumpOnOutOfMemoryError -XX:ErrorFile={self.folder}/logs/hs_err.log",
        }
        identity = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.folder / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.home / "bin" / "elasticsearch"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                start_new_session=True,
                **identity,  # type: ignore[call-overload]
            )

    def port(self) -> int | None:
        """The port that HTTP is bound to, once it is."""
        path = self.folder / "logs" / "http.ports"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        ports = [int(line.rpartition(":")[2]) for line in text.splitlines() if ":" in line]
        return ports[0] if ports else None

    def wait(self) -> int:
        """Wait until HTTP is bound; its port. Raises DependencyDown with the log's last words."""
        end = time.monotonic() + _START
        while time.monotonic() < end:
            if (port := self.port()) is not None:
                return port
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.2)
        log = (self.folder / "console.log").read_text(encoding="utf-8", errors="replace")
        raise DependencyDown(
            f"Elasticsearch({self.name})が起動しません。", f"Elasticsearch does not start: {log[-2000:]}"
        )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the whole process group and wait for its end."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)
        self.process = None


_TLS: Mapping[str, object] = {
    "enabled": True,
    "certificate": "certs/node.pem",
    "key": "certs/node.key",
    "certificate_authorities": ["certs/ca.pem"],
}


def _hashed(password: str) -> str:
    """As the file realm stores it: PBKDF2 with HMAC-SHA512 (Elastic, "User cache and password hash algorithms")."""
    salt = secrets.token_bytes(32)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, 32)
    return f"{{PBKDF2}}{_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def _users_roles(users: Sequence[User]) -> str:
    roles = sorted({role for user in users for role in user.roles})
    return "".join(
        f"{role}:{','.join(user.name for user in users if role in user.roles)}\n" for role in roles
    )
