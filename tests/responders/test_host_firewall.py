"""A server's own firewall in the kernel: what passes and what does not, seen by real connections between two network namespaces,
while the shipped playbook is approved, carried through, ends by itself and is put back."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from hinomi.errors import Refused
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import Targets, connector
from responders.playbooks.playbook import catalogue
from responders.playbooks.run import RunState, StepState
from tests.responders.peers import real
from tests.responders.playbooks.stage import Scene, scene
from tests.shared import program

pytestmark = pytest.mark.peer
ADAPTER: TypeAdapter[Any] = TypeAdapter(Section)
SERVER, ADMIN, ATTACKER, RESIDENT = "192.0.2.1", "192.0.2.10", "203.0.113.66", "198.51.100.7"
_LISTEN = "import socket,time; s=socket.create_server(('0.0.0.0', 80), backlog=64); print('up', flush=True); time.sleep(300)"
_CONNECT = "import socket,sys; s=socket.socket(); s.settimeout(0.7); s.bind((sys.argv[1], 0)); s.connect((sys.argv[2], 80))"


@dataclass(frozen=True, slots=True)
class Network:
    """The server, and everybody else in a namespace beside it."""

    target: real.Target
    server: list[str]
    others: list[str]

    def reaches(self, source: str) -> bool:
        """Whether somebody at this address gets a connection to the server."""
        return _connects(self.others, source, SERVER)

    def calls_out(self, to: str) -> bool:
        """Whether the server gets a connection to this address."""
        return _connects(self.server, SERVER, to)


def _connects(inside: list[str], source: str, to: str) -> bool:
    command = [*inside, sys.executable, "-S", "-c", _CONNECT, source, to]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


@contextmanager
def _other_namespace() -> Iterator[list[str]]:
    with real.nftables(Path()) as other:
        [command] = other.section["servers"].values()
        subprocess.run([*command, "flush", "ruleset"], check=True, timeout=30)
        yield command[:-1]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    ip = program("ip")
    with real.nftables(tmp_path) as target, _other_namespace() as others, ExitStack() as stack:
        [command] = target.section["servers"].values()
        server = command[:-1]
        run = lambda inside, *words: subprocess.run([*inside, ip, *words], check=True, timeout=30)  # noqa: E731
        run(others, "link", "add", "inner", "type", "veth", "peer", "name", "outer", "netns", server[2])
        run(server, "addr", "add", f"{SERVER}/32", "dev", "outer")
        for address in (ADMIN, ATTACKER, RESIDENT):
            run(others, "addr", "add", f"{address}/32", "dev", "inner")
        for inside, link in ((server, "outer"), (others, "inner")):
            run(inside, "link", "set", "lo", "up")
            run(inside, "link", "set", link, "up")
            run(inside, "route", "add", "default", "dev", link)
            listening = subprocess.Popen(
                [*inside, sys.executable, "-S", "-c", _LISTEN], stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(listening)
            stack.callback(listening.kill)
            assert listening.stdout is not None and listening.stdout.readline()
        yield Network(target, server, others)


def _planned(folder: Path, network: Network) -> Scene:
    on = scene(
        folder,
        catalogue()["server_intrusion"],
        entities={"source.ip": [ATTACKER], "host.name": ["PC-114"]},
        grade=3,
    )
    on.runs.records.put("user", "second", {"name": "second", "roles": ["ciso"], "disabled": False})
    own = Targets({"host_firewall": ADAPTER.validate_python(network.target.section)})
    on.runs.world = type(on.runs.world)(own, *([on.runs.world.evidence] * 3))
    return on


def test_the_shipped_playbook_over_a_real_kernel(tmp_path: Path, network: Network) -> None:
    """Approved: the attacker is out, residents are served. Two of the CISO's office: only administrators get in, nothing gets out.
    After a week the block ends by itself, put back by a person everything is as it was, bit by bit."""
    on, was = _planned(tmp_path, network), network.target.state()
    assert on.tick().state is RunState.PROPOSED and network.reaches(ATTACKER) and network.calls_out(ATTACKER)
    on.approve()
    on.tick()
    assert not network.reaches(ATTACKER) and network.reaches(RESIDENT) and network.reaches(ADMIN)
    asked = on.step("侵入されているか").index
    on.desk.automation.finish_task(on.run_id, asked, actor="sato", roles=["analyst"], answer="yes")
    for _ in range(3):
        on.tick(1)
    gate = on.step("切り離します")
    assert gate.state is StepState.WAITING and (gate.role, gate.people) == ("ciso", 2)
    on.desk.approve(f"{on.run_id}.{gate.index}", actor="mori", roles=["ciso"])
    on.tick(1)
    assert network.reaches(RESIDENT), "one of two is not enough"
    on.desk.approve(f"{on.run_id}.{gate.index}", actor="second", roles=["ciso"])
    on.tick(1)
    assert on.step("host_firewall.isolate").state is StepState.DONE
    assert not network.reaches(RESIDENT) and not network.calls_out(ATTACKER)
    assert network.reaches(ADMIN) and network.calls_out(ADMIN), "logs still come, and it can be put back"
    on.tick(60 * 24 * 8)
    assert on.step("host_firewall.block_address").state is StepState.UNDONE, "seven days are over"
    on.desk.undo(on.run_id, actor="mori", roles=["ciso"], note="復旧した")
    on.tick(1)
    assert network.target.state() == was and network.reaches(RESIDENT) and network.calls_out(ATTACKER)
    assert on.runs.audit.verify() == []


def test_a_server_that_nobody_could_put_back_is_not_cut_off(tmp_path: Path) -> None:
    """With no administrator's machine in the set the plan and the act say so, and nothing changes."""
    with real.nftables(tmp_path) as target:
        [command] = target.section["servers"].values()
        subprocess.run([*command, "flush", "set", "inet", "hinomi", "admins"], check=True, timeout=30)
        own, was = connector(ADAPTER.validate_python(target.section)), target.state()
        assert "admins" in own.health()
        for tried in (own.plan, own.act):
            with pytest.raises(Refused, match="admins"):
                tried("host_firewall.isolate", {"host": "pc-114"})
        assert target.state() == was


def test_every_server_is_asked_before_the_first_is_changed(tmp_path: Path) -> None:
    """An address is blocked on all of them; where one does not answer it is on none, and undo gives each what it had."""
    values = {"address": ATTACKER}
    with real.nftables(tmp_path) as one, real.nftables(tmp_path) as two:
        [first], [second] = one.section["servers"].values(), two.section["servers"].values()
        servers = {"app01": first, "app02": second}
        subprocess.run(
            [*second, "add", "element", "inet", "hinomi", "blocked4", f"{{ {ATTACKER} }}"], check=True
        )
        was = one.state(), two.state()
        down = connector(
            ADAPTER.validate_python({"kind": "nftables", "servers": {**servers, "app03": ["false"]}})
        )
        with pytest.raises(Refused, match="app03"):
            down.act("host_firewall.block_address", values)
        assert (one.state(), two.state()) == was
        own = connector(ADAPTER.validate_python({"kind": "nftables", "servers": servers}))
        before = own.look("host_firewall.block_address", values)
        assert own.act("host_firewall.block_address", values).changed
        assert own.verify("host_firewall.block_address", values)
        own.undo("host_firewall.block_address", values, before)
        assert (one.state(), two.state()) == was
