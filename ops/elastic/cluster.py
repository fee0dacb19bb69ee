"""One node or three on loopback, started, awaited and stopped together."""

import json
import os
import secrets
import shutil
import signal
import ssl
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hinomi.errors import DependencyDown
from ops.elastic.certificates import Authority
from ops.elastic.distribution import home
from ops.elastic.node import Node, User
from ops.ports import free_ports

_FORM = 120.0
_ROOMY = 6 << 30


@dataclass(slots=True)
class Cluster:
    """A running cluster. administrator: a superuser of the file realm, made for this cluster's life."""

    folder: Path
    nodes: list[Node]
    administrator: User
    users: dict[str, User] = field(default_factory=dict)

    @property
    def ca(self) -> Path:
        """The certificate of the authority that signed the nodes' certificates."""
        return self.folder / "ca.pem"

    def hosts(self) -> list[str]:
        """The addresses of the nodes that answer."""
        return [f"https://127.0.0.1:{port}" for node in self.nodes if (port := node.port()) is not None]

    def reached(self, folder: Path) -> dict[str, Any]:
        """The store's settings as its administrator reaches it; the password goes into a file of the folder."""
        secret = folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.administrator.password, encoding="utf-8")
        own = {"user": self.administrator.name, "password": f"file:{secret}"}
        return {"hosts": self.hosts(), "ca": str(self.ca), **own}

    def note(self, path: Path) -> None:
        """Write down how to reach it, for `attach`."""
        found = {
            "folder": str(self.folder),
            "user": self.administrator.name,
            "password": self.administrator.password,
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(found), encoding="utf-8")

    def add(self, users: Sequence[User], roles: str) -> None:
        """More users and roles; the nodes read their files again within two seconds."""
        for node in self.nodes:
            node.add(users, roles)

    def wait(self) -> None:
        """Until every running node has joined. Raises DependencyDown."""
        running = [node for node in self.nodes if node.process is not None]
        for node in running:
            node.wait()
        user = self.administrator
        verify = ssl.create_default_context(cafile=str(self.ca))
        end = time.monotonic() + _FORM
        with httpx.Client(verify=verify, auth=(user.name, user.password), timeout=10) as client:
            while time.monotonic() < end:
                if self._joined(client, len(running)):
                    return
                time.sleep(0.3)
        raise DependencyDown("クラスタができません。", "the cluster does not form")

    def _joined(self, client: httpx.Client, wanted: int) -> bool:
        try:
            answer = client.get(f"{self.hosts()[0]}/_cluster/health", params={"timeout": "5s"})
        except (httpx.HTTPError, IndexError):
            return False
        return answer.status_code == 200 and answer.json()["number_of_nodes"] == wanted

    def stop(self) -> None:
        """Stop the nodes and delete everything."""
        for node in self.nodes:
            node.kill(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(
    version: str = "8.19.8",
    *,
    nodes: int = 1,
    users: Sequence[User] = (),
    roles: str = "",
    heap_mb: int = 512,
) -> Cluster:
    """Start a cluster and wait for it. users: of the file realm, with passwords; roles: text of roles.yml."""
    place = home(version)
    folder = Path(tempfile.mkdtemp(prefix="hinomi-es-", dir=roomy()))
    folder.chmod(0o755)
    administrator = User("local_admin", secrets.token_urlsafe(24), ("superuser",))
    ports, names = free_ports(nodes), [f"node-{number}" for number in range(1, nodes + 1)]
    snapshots = folder / "snapshots"
    snapshots.mkdir()
    snapshots.chmod(0o777)
    authority, made = Authority(), []
    for name, port in zip(names, ports, strict=True):
        node = Node(place, folder / name, name, port, ports, names, heap_mb)
        authority.write(node.configuration / "certs", name)
        node.prepare([administrator, *users], roles)
        made.append(node)
    shutil.copy(made[0].configuration / "certs" / "ca.pem", folder / "ca.pem")
    cluster = Cluster(folder, made, administrator, {user.name: user for user in users})
    try:
        for node in made:
            node.start()
        cluster.wait()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def attach(note: Path) -> Cluster:
    """A cluster that another process runs (`python -m ops.elastic run --note FILE`); stopping it is up to that one."""
    held = json.loads(note.read_text(encoding="utf-8"))
    folder = Path(held["folder"])
    names = sorted(path.name for path in folder.glob("node-*"))
    nodes = [Node(folder, folder / name, name, 0, [], names) for name in names]
    return Cluster(folder, nodes, User(held["user"], held["password"], ("superuser",)))


def roomy() -> Path:
    """In memory where there is plenty, and programs may lie there: what lives for minutes need not wait for a disk."""
    memory = Path("/dev/shm")  # noqa: S108
    writable = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOMY
    return memory if writable and not os.statvfs(memory).f_flag & os.ST_NOEXEC else Path("/tmp")  # noqa: S108
