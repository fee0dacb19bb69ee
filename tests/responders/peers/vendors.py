"""The vendors' local servers in a process of their own, so that whoever uses them may be forked and killed.

usage: python -m tests.responders.peers.vendors FOLDER — writes {kind: {url, ca}} as a line of JSON, then answers each line
of standard input with one: `state` (of each), `fresh` (each as it was at the start).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.responders.peers import clouds
from tests.responders.peers.fortios import FortiOs
from tests.responders.peers.graph import Graph
from tests.responders.peers.served import served

CLIENT = {"client_id": "c", "client_secret": "env:S"}
KINDS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "crowdstrike": (clouds.Falcon, CLIENT),
    "sentinelone": (clouds.Sentinel, {"token": "env:S"}),
    "wazuh": (clouds.WazuhServer, {"user": "hinomi", "password": "env:S"}),
    "google_directory": (
        clouds.Google,
        {
            "administrator": "admin@city.example.jp",
            "domain": "city.example.jp",
            "key": "env:KEY",
            "token_url": "{url}/token",
        },
    ),
    "panos": (clouds.Panos, {"key": "env:S", "gateway": "gw1"}),
    "graph_mail": (
        clouds.Mailboxes,
        {**CLIENT, "group": "g", "domain": "city.example.jp", "token_url": "{url}/token"},
    ),
}
"""What stands for each kind, and the rest of its configuration: secrets are in the variables S and KEY."""
MORE: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "entra_graph": (Graph, {**CLIENT, "domain": "city.example.jp", "token_url": "{url}/token"}),
    "fortigate": (
        partial(FortiOs, clouds.SECRET, {"other": "192.0.2.1 255.255.255.255"}, ["other"]),
        {"token": "env:S", "group": "hinomi-block"},
    ),
}
_ALL = {**KINDS, **MORE}


def key_file() -> str:
    """A service account's key as Google gives it out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps({"client_email": "robot@p", "private_key": text.decode()})


@dataclass(frozen=True, slots=True)
class Vendors:
    """The running process."""

    process: subprocess.Popen[str]
    where: Mapping[str, Mapping[str, str]]

    def section(self, kind: str) -> dict[str, Any]:
        """The configuration of a connector to it."""
        at = self.where[kind]
        more = {name: text.format(url=at["url"]) for name, text in _ALL[kind][1].items()}
        return {"kind": kind, **at, **more}

    def state(self, kind: str) -> str:
        """All of it that an undo gives back."""
        return str(self._ask("state")[kind])

    def fresh(self) -> None:
        """Each as it was at the start: also what no undo gives back."""
        self._ask("fresh")

    def _ask(self, what: str) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


@contextmanager
def running(folder: Path) -> Iterator[Vendors]:
    """All of them until the end of the block; S and KEY must hold the secrets."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", __name__, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        assert process.stdin and process.stdout
        try:
            yield Vendors(process, json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


def _vpn(peer: Any) -> None:
    """Somebody has dialled in: once in the browser, once by IPsec."""
    if isinstance(peer, FortiOs):
        peer.sessions, peer.tunnels = {7: "t.yamada", 8: "k.ito"}, {"staff_0": "t.yamada"}


def main(folder: Path) -> None:
    """Serve until standard input ends."""
    with ExitStack() as stack:
        peers, where = {}, {}
        for kind, (make, _) in _ALL.items():
            peers[kind] = make()
            (folder / kind).mkdir()
            at = stack.enter_context(served(peers[kind].app(), folder / kind))
            where[kind] = {"url": at.url, "ca": str(at.ca)}
            _vpn(peers[kind])
        print(json.dumps(where), flush=True)
        for line in sys.stdin:
            if line.strip() == "fresh":
                for kind, peer in peers.items():
                    _begin_anew(peer, _ALL[kind][0]())
            print(json.dumps({kind: peer.state() for kind, peer in peers.items()}), flush=True)


def _begin_anew(peer: Any, new: Any) -> None:
    for one in fields(peer):
        setattr(peer, one.name, getattr(new, one.name))
    _vpn(peer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
