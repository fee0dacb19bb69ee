"""Real nftables, Squid, Unbound and devices behind OpenSSH: act, verify, idempotent, undo to what was, bit by bit; and a
playbook over all of them and a real OpenLDAP with the process dying on the way."""

import shlex
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from hinomi.errors import DependencyDown, HinomiError, Refused
from responders.connectors import squid_proxy
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import Targets, connector
from responders.connectors.listed import ListedNames
from responders.connectors.protocol import Connector
from responders.playbooks.run import RunState
from tests.responders.peers import real, several
from tests.responders.playbooks.stage import HEAD, scene, written
from tests.responders.slapd import ROBOT_PASSWORD

pytestmark = pytest.mark.peer
ADAPTER: TypeAdapter[Any] = TypeAdapter(Section)
CASES: dict[
    str, tuple[Callable[[Path], AbstractContextManager[real.Target]], str, dict[str, str], dict[str, str]]
] = {
    "nftables": (
        real.nftables,
        "host_firewall.block_address",
        {"address": "203.0.113.66"},
        {"address": "x; drop"},
    ),
    "nftables6": (
        real.nftables,
        "host_firewall.block_address",
        {"address": "2001:db8::66"},
        {"address": "::/0"},
    ),
    "isolated": (real.nftables, "host_firewall.isolate", {"host": "PC-114.city.example"}, {"host": "pc-999"}),
    "squid": (real.squid, "proxy.deny", {"name": "c2.example.net"}, {"name": "a.example\nallow all"}),
    "unbound": (real.unbound, "dns.sinkhole", {"name": "c2.example.net"}, {"name": 'x" allow'}),
    "bind": (real.bind, "dns.sinkhole", {"name": "c2.example.net"}, {"name": "x CNAME"}),
    "shut": (real.device, "switch.shut_port", {"host": "pc-114"}, {"host": "pc-999"}),
    "vlan": (real.device, "switch.quarantine", {"host": "pc-114"}, {"host": "pc-999"}),
    "allied_vlan": (
        partial(real.device, dialect="allied_telesis"),
        "switch.quarantine",
        {"host": "pc-114"},
        {"host": "pc-999"},
    ),
    "allied_shut": (
        partial(real.device, dialect="allied_telesis"),
        "switch.shut_port",
        {"host": "pc-114"},
        {"host": "pc-999"},
    ),
    "yamaha_vlan": (
        partial(real.device, dialect="yamaha_switch"),
        "switch.quarantine",
        {"host": "pc-114"},
        {"host": "pc-999"},
    ),
    "notice": (
        real.notice_page,
        "web.maintenance_page",
        {"service": "WWW.city.example.jp"},
        {"service": "../www.city.example.jp"},
    ),
    "segment": (real.device, "router.cut_segment", {"segment": "lgwan"}, {"segment": "x\nreload"}),
}


def made(target: real.Target, **more: Any) -> Connector:
    return connector(ADAPTER.validate_python({**target.section, **more}))


def verified(own: Connector, action: str, values: dict[str, str]) -> bool:
    """As a step does it: not verified at once, it is tried again."""
    for _ in range(5):
        with suppress(DependencyDown):
            if own.verify(action, values):
                return True
    return False


@pytest.mark.parametrize("name", CASES)
def test_act_verify_undo(tmp_path: Path, name: str) -> None:
    """Twice is once; verified by the target itself; undo gives back every byte; a trick in a value is refused."""
    start, action, values, trick = CASES[name]
    with start(tmp_path / name) as target:
        own, was = made(target), target.state()
        assert own.health() == "" and own.plan(action, values).changed and target.state() == was
        before = own.look(action, values)
        assert own.act(action, values).changed and verified(own, action, values)
        acted = target.state()
        assert acted != was and not own.act(action, values).changed and target.state() == acted
        later = own.look(action, values)
        own.undo(action, values, later)
        assert target.state() == acted, "it was so before, it stays so"
        own.undo(action, values, before)
        assert target.state() == was and not own.verify(action, values)
        own.undo(action, values, before)
        assert target.state() == was
        with pytest.raises(Refused):
            own.act(action, trick)
        assert target.state() == was


@pytest.mark.parametrize("name", ["squid", "unbound"])
def test_a_server_that_reads_its_list_later_is_waited_for(tmp_path: Path, name: str) -> None:
    """What makes it read the file returns at once, the reading comes a second later: verified is what the server itself denies."""
    start, action, values, _ = CASES[name]
    with start(tmp_path / name) as target:
        later = f"(sleep 1; {shlex.join(target.section['reload'])}) >/dev/null 2>&1 &"
        own = made(target, reload=["sh", "-c", later])
        own.act(action, values)
        assert verified(own, action, values)


def test_a_server_that_never_reads_its_list_is_not_waited_for_long(tmp_path: Path) -> None:
    """People are called by the same thread: a few seconds, then the step is put off."""
    (tmp_path / "list").touch()
    own, values = (
        ListedNames("DNS", tmp_path / "list", ["true"], str, lambda name: False),
        {"name": "c2.example"},
    )
    own.act("dns.sinkhole", values)
    began = time.monotonic()
    assert not own.verify("dns.sinkhole", values) and time.monotonic() - began < 6


def test_asking_the_name_server_never_reaches_the_attacker(tmp_path: Path) -> None:
    """Unbound has not read its list: nobody is asked for the name, and that the name is gone elsewhere, as its cache knows and
    shows, is not taken for what the list does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind(("127.0.0.1", 0))
        more = (
            "server:\n  do-not-query-localhost: no\n  module-config: iterator\n  access-control: 127.0.0.0/8 allow_snoop\n"
            f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{attacker.getsockname()[1]}\n'
        )
        with real.unbound(tmp_path / "unbound", more) as target:
            own, values = made(target, reload=["true"]), {"name": "c2.example.org"}
            own.act("dns.sinkhole", values)
            assert not own.verify("dns.sinkhole", values)
            attacker.setblocking(False)
            with pytest.raises(BlockingIOError):
                attacker.recv(4096)
            attacker.settimeout(10)
            with ThreadPoolExecutor(1) as other:
                cached = other.submit(real.code, "127.0.0.1", target.section["port"], "c2.example.org")
                answer_no_such_name(attacker)
                assert cached.result() == 3
            assert not own.verify("dns.sinkhole", values)


@pytest.mark.parametrize("waits", ["no", "yes"])
def test_that_nobody_has_the_name_is_not_what_the_policy_of_bind_does(tmp_path: Path, waits: str) -> None:
    """The world says itself that there is no c2.gone.example: not verified while BIND has not taken the policy up, nor where it does not
    say whose the answer is; verified once the policy is why."""
    values = {"name": "c2.gone.example"}
    for policy in ("min-update-interval 3600", "min-update-interval 0 add-soa no"):
        with real.bind(tmp_path / policy, waits=waits, policy=policy) as target:
            own = made(target)
            own.act("dns.sinkhole", values)
            with pytest.raises(DependencyDown, match="もとからない"):
                own.verify("dns.sinkhole", values)
    with real.bind(tmp_path / "taken", waits=waits) as target:
        own = made(target)
        own.act("dns.sinkhole", values)
        assert verified(own, "dns.sinkhole", values)


def test_that_a_zone_of_unbound_lacks_the_name_is_not_what_its_list_does(tmp_path: Path) -> None:
    """A copy of a zone that it serves itself (as of the root) says with authority that there is no such name."""
    copy = tmp_path / "own.zone"
    copy.write_text("$TTL 60\n@ SOA localhost. root.localhost. 1 60 60 60 60\n@ NS localhost.\n")
    more = f'auth-zone:\n  name: "own.example."\n  zonefile: "{copy}"\n'
    with real.unbound(tmp_path / "unbound", more) as target:
        values, reads_nothing = {"name": "c2.own.example"}, made(target, reload=["true"])
        reads_nothing.act("dns.sinkhole", values)
        assert not reads_nothing.verify("dns.sinkhole", values)
        own = made(target)
        own.act("dns.sinkhole", values)
        assert verified(own, "dns.sinkhole", values)


@pytest.mark.parametrize("waits", ["no", "yes"])
def test_a_name_that_bind_denies_leaves_it_only_where_it_waits_for_others(tmp_path: Path, waits: str) -> None:
    """With `qname-wait-recurse no`, as docs/response.md tells, the question that verifies ends at BIND; by BIND's own default it
    goes out to the attacker. The policy is not applied to a question without recursion: so ours asks for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind(("127.0.0.1", 0))
        attacker.settimeout(0.5)
        port = attacker.getsockname()[1]
        zone = (
            f'zone "evil.example" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {port}; }}; }};'
        )
        with real.bind(tmp_path, zone, waits) as target:
            own, values = made(target), {"name": "c2.evil.example"}
            own.act("dns.sinkhole", values)
            if waits == "yes":
                assert not own.verify("dns.sinkhole", values) and b"evil" in attacker.recv(4096)
                return
            assert verified(own, "dns.sinkhole", values)
            with pytest.raises(TimeoutError):
                attacker.recv(4096)
            command = ["dig", "@127.0.0.1", "-p", str(target.section["port"]), "+norecurse", values["name"]]
            said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
            assert "status: NXDOMAIN" not in said, "BIND would answer without recursion: ask so"


def answer_no_such_name(server: socket.socket) -> None:
    """Answer one question with NXDOMAIN and the SOA of the root, which lets it be cached."""
    asked, who = server.recvfrom(4096)
    question = asked[12 : asked.index(b"\0", 12) + 5]
    soa = b"\0\0" + struct.pack(">IIIII", 1, 60, 60, 60, 3600)
    head = asked[:2] + struct.pack(">HHHHH", 0x8583, 1, 0, 1, 0)
    server.sendto(head + question + b"\0" + struct.pack(">HHIH", 6, 1, 3600, len(soa)) + soa, who)


def test_a_proxy_that_refuses_the_tower_verifies_nothing(tmp_path: Path) -> None:
    """It answers 403 for every name, also before it has read the list."""
    with real.squid(tmp_path, others="deny") as target:
        own, values = made(target, reload=["true"]), {"name": "c2.example.net"}
        own.act("proxy.deny", values)
        with pytest.raises(DependencyDown, match="すべて断って"):
            own.verify("proxy.deny", values)


def test_asking_the_proxy_never_reaches_the_attacker(tmp_path: Path) -> None:
    """A name that is not denied yet: the question ends at the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as attacker, real.squid(tmp_path) as target:
        attacker.settimeout(0.5)
        host, port = attacker.getsockname()
        assert not squid_proxy.denied(target.section["probe"], f"{host}:{port}")
        with pytest.raises(TimeoutError):
            attacker.accept()


def test_a_yamaha_router(tmp_path: Path) -> None:
    """Its own dialect: administrator, lan shutdown."""
    with real.device(tmp_path / "rtx", "yamaha_rtx") as target:
        own, was, values = made(target), target.state(), {"segment": "lgwan"}
        before = own.look("router.cut_segment", values)
        assert own.act("router.cut_segment", values).changed and own.verify("router.cut_segment", values)
        own.undo("router.cut_segment", values, before)
        assert target.state() == was


def test_a_device_with_another_host_key_is_not_talked_to(tmp_path: Path) -> None:
    """Somebody in the middle gets no command."""
    with real.device(tmp_path / "one") as target, real.device(tmp_path / "two") as other:
        port = target.section["port"]
        key = Path(other.section["known_hosts"]).read_text().split(" ", 1)[1]
        wrong = tmp_path / "known"
        wrong.write_text(f"[127.0.0.1]:{port} {key}")
        with pytest.raises(HinomiError):
            made(target, known_hosts=str(wrong)).act("switch.shut_port", {"host": "pc-114"})


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, real.Target]]:
    monkeypatch.setenv("HINOMI_LDAP", ROBOT_PASSWORD)
    with several.targets(tmp_path) as found:
        yield found


@pytest.mark.slow
def test_deaths_over_six_real_targets(tmp_path: Path, targets: dict[str, real.Target]) -> None:
    """Die just after each target was changed and before that is written down; resumed: all six are as wanted, once;
    undone: every byte of all six is as it was."""
    own = Targets({name: ADAPTER.validate_python(one.section) for name, one in targets.items()})
    was = {name: one.state() for name, one in targets.items()}
    playbook = written(tmp_path, several.STEPS, HEAD)
    for dies_at in (9, 13, 17, 25, 33):
        folder = tmp_path / str(dies_at)
        folder.mkdir()
        on = scene(folder, playbook)
        on.runs.world = type(on.runs.world)(own, *([on.runs.world.evidence] * 3))
        on.approve()
        put, writes = on.runs.records.put, 0

        def dying(*arguments: Any, put: Any = put, dies_at: int = dies_at, **more: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == dies_at:
                raise Crash
            return put(*arguments, **more)

        on.runs.records.put = dying  # type: ignore[method-assign]
        with pytest.raises(Crash):
            on.tick()
        on.runs.records.put = put  # type: ignore[method-assign]
        for _ in range(8):
            if on.tick(1).state is RunState.DONE:
                break
        assert on.run.state is RunState.DONE, on.run.journal
        assert all(targets[name].state() != was[name] for name in targets)
        said = {
            one.rsplit(".", 2)[-2] + one.rsplit(".", 1)[-1] for one in on.audit() if "playbook.act" in one
        }
        assert len(said) == several.ACTS - 1, "the log heard of each kind of act"
        on.desk.undo(on.run_id, actor="suzuki", roles=["information_system_manager"], note="戻す")
        assert on.tick().state is RunState.UNDONE
        assert {name: one.state() for name, one in targets.items()} == was
        assert on.runs.audit.verify() == []
