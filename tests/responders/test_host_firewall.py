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
from pydantic import TypeAdapter, ValidationError

from hinomi.errors import DependencyDown, Refused
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import Targets, connector
from responders.connectors.protocol import Connector
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


@pytest.mark.parametrize("chain", ["incoming", "outgoing"])
def test_a_server_whose_rules_do_not_look_at_the_set_is_not_said_to_be_cut_off(
    tmp_path: Path, chain: str
) -> None:
    """The sets alone stop nothing: health, plan, act and verify say so, nothing is added, and what was added comes out."""
    action, values = "host_firewall.isolate", {"host": "pc-114"}
    with real.nftables(tmp_path) as target:
        [command] = target.section["servers"].values()
        own = connector(ADAPTER.validate_python(target.section))
        before = own.look(action, values)
        own.act(action, values)
        subprocess.run([*command, "flush", "chain", "inet", "hinomi", chain], check=True, timeout=30)
        assert "isolated" in own.health() or "blocked4" in own.health()
        with pytest.raises(Refused, match="isolated"):
            own.verify(action, values)
        own.undo(action, values, before)
        was = target.state()
        for tried in (own.plan, own.act):
            with pytest.raises(Refused, match="isolated"):
                tried(action, values)
        assert target.state() == was


def _two(one: real.Target, two: real.Target, **more: list[str]) -> Connector:
    [first], [second] = one.section["servers"].values(), two.section["servers"].values()
    return connector(
        ADAPTER.validate_python({"kind": "nftables", "servers": {"app01": first, **more, "app02": second}})
    )


def test_a_dead_server_holds_up_no_other(tmp_path: Path) -> None:
    """Two of three answer: they block, and unblock to what each had; the third is named, tried again, and loses it as well."""
    values, action = {"address": ATTACKER}, "host_firewall.block_address"
    with real.nftables(tmp_path) as one, real.nftables(tmp_path) as two, real.nftables(tmp_path) as late:
        [second], [third] = two.section["servers"].values(), late.section["servers"].values()
        subprocess.run(
            [*second, "add", "element", "inet", "hinomi", "blocked4", f"{{ {ATTACKER} }}"], check=True
        )
        was = one.state(), two.state(), late.state()
        down, up = _two(one, two, app03=["sh", "-c", "exit 255"]), _two(one, two, app03=third)
        before = down.look(action, values)
        with pytest.raises(DependencyDown, match="app03"):
            down.act(action, values)
        assert ATTACKER in one.state() and ATTACKER in two.state()
        assert up.act(action, values).changed and up.verify(action, values)
        with pytest.raises(DependencyDown, match="app03"):
            down.undo(action, values, before)
        assert (one.state(), two.state()) == was[:2] and ATTACKER in late.state()
        up.undo(action, values, before)
        assert (one.state(), two.state(), late.state()) == was


def test_a_server_that_is_no_longer_configured_is_not_said_to_be_put_back(tmp_path: Path) -> None:
    """The others are put back; it is named, as a person must look."""
    values, action = {"address": ATTACKER}, "host_firewall.block_address"
    with real.nftables(tmp_path) as one, real.nftables(tmp_path) as two:
        [command], was = one.section["servers"].values(), one.state()
        own = _two(one, two)
        before = own.look(action, values)
        own.act(action, values)
        fewer = connector(ADAPTER.validate_python({"kind": "nftables", "servers": {"app01": command}}))
        with pytest.raises(Refused, match="app02"):
            fewer.undo(action, values, before)
        assert one.state() == was and ATTACKER in two.state()


def test_an_address_written_another_way_goes_in_and_out(tmp_path: Path) -> None:
    """IPv4 written as IPv6 is the IPv4 address that the packets bear; a zone, which may hold a script, is refused."""
    action, trick = "host_firewall.block_address", "fe80::1%x }\nflush ruleset\nadd table inet y {"
    with real.nftables(tmp_path) as target:
        own, was = connector(ADAPTER.validate_python(target.section)), target.state()
        values = {"address": f"::ffff:{ATTACKER}"}
        before = own.look(action, values)
        assert own.act(action, values).changed and own.verify(action, values) and ATTACKER in target.state()
        own.undo(action, values, before)
        assert target.state() == was
        with pytest.raises(Refused):
            own.act(action, {"address": trick})
        assert target.state() == was


SERVERS = {"web01.nishi.example": ["true"], "db01": ["true"]}


@pytest.mark.parametrize(
    "host", ["web01.higashi.example", "web0", "192.0.2.11", "192", "", "2001:db8::1", "x.nishi.example"]
)
def test_another_machine_is_no_server_of_ours(host: str) -> None:
    """Nothing is cut off because a part of its name is that of another."""
    own = connector(ADAPTER.validate_python({"kind": "nftables", "servers": SERVERS}))
    with pytest.raises(Refused):
        own.act("host_firewall.isolate", {"host": host})


@pytest.mark.parametrize(
    "servers",
    [
        {"192.0.2.10": ["true"]},
        {"2001:db8::1": ["true"]},
        {"web01.nishi.example": ["true"], "WEB01.higashi.example": ["true"]},
        {"web01": ["true"], "web01.higashi.example": ["true"]},
        {"web01": []},
    ],
)
def test_servers_that_logs_cannot_tell_apart_are_not_taken(servers: dict[str, list[str]]) -> None:
    """An address, two of one short name, and no command."""
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"kind": "nftables", "servers": servers})
