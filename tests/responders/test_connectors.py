"""The firewall and the endpoint connector over real TLS, against servers that follow the vendors' documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hinomi.errors import DependencyDown, Refused
from responders.connectors.defender_endpoint import DefenderEndpoint, Machines
from responders.connectors.fortigate_firewall import Firewall, Sessions
from responders.connectors.found import Found
from responders.connectors.held import Held
from responders.connectors.settings import FortiGate
from tests.responders.peers.defender import Defender
from tests.responders.peers.fortios import FortiOs
from tests.responders.peers.served import served

ATTACKER = {"address": "203.0.113.9"}
PC = {"host": "pc-0042"}


@contextmanager
def _firewall(folder: Path, peer: FortiOs, token: str = "t0ken") -> Iterator[Firewall]:
    secret = folder / "token"
    secret.write_text(token, encoding="utf-8")
    with served(peer.app(), folder) as there:
        settings = {
            "kind": "fortigate",
            "url": there.url,
            "token": f"file:{secret}",
            "group": "hinomi-block",
            "ca": there.ca,
        }
        yield Firewall(FortiGate.model_validate(settings))


@contextmanager
def _endpoint(folder: Path, peer: Defender, secret: str = "s3cret") -> Iterator[Held]:
    path = folder / "secret"
    path.write_text(secret, encoding="utf-8")
    with served(peer.app(), folder) as there:
        settings = {
            "kind": "defender",
            "url": there.url,
            "token_url": f"{there.url}/tenant/oauth2/v2.0/token",
            "client_id": "c1",
            "client_secret": f"file:{path}",
            "ca": there.ca,
        }
        yield Held(Machines(DefenderEndpoint.model_validate(settings)))


def test_an_address_is_blocked_once_and_unblocked_as_it_was(tmp_path: Path) -> None:
    """Plan changes nothing; acting twice changes once; undo leaves the firewall as it was before."""
    peer = FortiOs("t0ken", {"other": "192.0.2.1 255.255.255.255"}, ["other"])
    with _firewall(tmp_path, peer) as firewall:
        assert firewall.plan("block_address", ATTACKER).changed
        assert peer.group == ["other"]
        before = firewall.look("block_address", ATTACKER)
        assert firewall.act("block_address", ATTACKER).changed
        assert not firewall.act("block_address", ATTACKER).changed
        assert peer.group == ["other", "hinomi-203.0.113.9"]
        assert peer.addresses["hinomi-203.0.113.9"] == "203.0.113.9 255.255.255.255"
        assert firewall.verify("block_address", ATTACKER)
        firewall.undo("block_address", ATTACKER, before)
        assert peer.group == ["other"] and list(peer.addresses) == ["other"]
        assert not firewall.undo("block_address", ATTACKER, {**before, "member": True}).changed


def test_a_crash_between_object_and_group_is_finished_by_the_next_try(tmp_path: Path) -> None:
    """The object was made, the group not yet changed: acting again does the rest, and only the rest."""
    peer = FortiOs("t0ken", {"hinomi-203.0.113.9": "203.0.113.9 255.255.255.255"}, ["none"])
    with _firewall(tmp_path, peer) as firewall:
        assert firewall.act("block_address", ATTACKER).changed
    assert "POST address" not in peer.calls
    assert "hinomi-203.0.113.9" in peer.group


@pytest.mark.parametrize(
    "address", ["10.30.8.20", "192.168.1.1", "172.20.0.1", "127.0.0.1", "203.0.113.0/24", "x"]
)
def test_inside_addresses_and_networks_are_never_blocked(tmp_path: Path, address: str) -> None:
    """Refused before the firewall is asked anything that changes it."""
    peer = FortiOs("t0ken")
    with _firewall(tmp_path, peer) as firewall, pytest.raises(Refused):
        firewall.act("block_address", {"address": address})
    assert not [call for call in peer.calls if not call.startswith("GET")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(401, Refused), (403, Refused), (429, DependencyDown), (500, DependencyDown), (503, DependencyDown)],
)
def test_what_the_firewall_answers_decides_whether_to_try_again(
    tmp_path: Path, answer: int, error: type[Exception]
) -> None:
    """Busy or broken: again later. Refused: never again by itself."""
    peer = FortiOs("t0ken", fail=[answer])
    with _firewall(tmp_path, peer) as firewall, pytest.raises(error):
        firewall.act("block_address", ATTACKER)


def test_a_wrong_token_and_a_missing_group_are_said_in_words(tmp_path: Path) -> None:
    """The doctor can say what is wrong; the token is in none of it."""
    with _firewall(tmp_path, FortiOs("other"), "s3cr3t-t0ken") as firewall:
        said = firewall.health()
    assert said and "s3cr3t-t0ken" not in said
    with _firewall(tmp_path, FortiOs("t0ken")) as firewall:
        assert firewall.health() == ""


def test_a_firewall_that_is_away_is_tried_again(tmp_path: Path) -> None:
    """No answer at all is DependencyDown, and so is a certificate of somebody else."""
    peer = FortiOs("t0ken")
    with _firewall(tmp_path, peer) as firewall:
        pass
    with pytest.raises(DependencyDown):
        firewall.act("block_address", ATTACKER)
    other = tmp_path / "other"
    with _firewall(other.parent, peer) as right, served(FortiOs("t0ken").app(), other) as there:
        wrong = Firewall(right.settings.model_copy(update={"url": there.url}))
        with pytest.raises(DependencyDown):
            wrong.act("block_address", ATTACKER)


def test_a_machine_is_isolated_once_and_released(tmp_path: Path) -> None:
    """While Microsoft still works on it, asking again asks nothing; release undoes it."""
    peer = Defender("s3cret", {"m1": "pc-0042.city.example.jp", "m2": "pc-00421.city.example.jp"})
    with _endpoint(tmp_path, peer) as endpoint:
        assert endpoint.plan("endpoint.isolate", PC).changed
        assert peer.actions == []
        before = endpoint.look("endpoint.isolate", PC)
        assert endpoint.act("endpoint.isolate", PC).changed
        assert not endpoint.act("endpoint.isolate", PC).changed
        assert [action["type"] for action in peer.actions] == ["Isolate"]
        peer.actions[0]["status"] = "Succeeded"
        assert endpoint.verify("endpoint.isolate", PC)
        assert endpoint.undo("endpoint.isolate", PC, before).changed
        assert [action["type"] for action in peer.actions] == ["Isolate", "Unisolate"]
        peer.actions[1]["status"] = "Succeeded"
        assert not endpoint.verify("endpoint.isolate", PC)


def test_an_isolation_that_failed_is_not_taken_for_one(tmp_path: Path) -> None:
    """A failed or cancelled action leaves the machine as it was: verify says so, acting asks again."""
    peer = Defender("s3cret", {"m1": "pc-0042.city.example.jp"})
    with _endpoint(tmp_path, peer) as endpoint:
        endpoint.act("endpoint.isolate", PC)
        peer.actions[0]["status"] = "Failed"
        assert not endpoint.verify("endpoint.isolate", PC)
        assert endpoint.act("endpoint.isolate", PC).changed
    assert len(peer.actions) == 2


@pytest.mark.parametrize("machines", [{}, {"m1": "pc-0042.a.example.jp", "m2": "pc-0042.b.example.jp"}])
def test_no_machine_or_two_of_the_name_are_refused(tmp_path: Path, machines: dict[str, str]) -> None:
    """Which machine is meant must be plain: otherwise nothing is done."""
    peer = Defender("s3cret", machines)
    with _endpoint(tmp_path, peer) as endpoint, pytest.raises(Refused):
        endpoint.act("endpoint.isolate", PC)
    assert peer.actions == []


def test_a_hostile_host_name_is_no_query(tmp_path: Path) -> None:
    """A host name from a log line cannot end the filter's quotes."""
    with _endpoint(tmp_path, Defender("s3cret")) as endpoint, pytest.raises(Refused):
        endpoint.act("endpoint.isolate", {"host": "x') or startswith(computerDnsName,'"})


@pytest.mark.parametrize(("answer", "error"), [(403, Refused), (429, DependencyDown), (503, DependencyDown)])
def test_throttling_is_tried_again_and_refusal_is_not(
    tmp_path: Path, answer: int, error: type[Exception]
) -> None:
    """Over the quota or broken: later. Not allowed: never by itself."""
    peer = Defender("s3cret", {"m1": "pc-0042.city.example.jp"}, fail=[answer])
    with _endpoint(tmp_path, peer) as endpoint, pytest.raises(error):
        endpoint.act("endpoint.isolate", PC)


def test_a_wrong_secret_is_refused_and_never_shown(tmp_path: Path) -> None:
    """What the doctor says of it holds no secret."""
    with _endpoint(tmp_path, Defender("other"), "s3cr3t-value") as endpoint:
        said = endpoint.health()
    assert said and "s3cr3t-value" not in said


def test_the_vpn_sessions_of_one_person_are_ended(tmp_path: Path) -> None:
    """Each of theirs, nobody else's; again it changes nothing; undo says that the person connects again."""
    peer, action = FortiOs("t0ken"), "firewall.end_vpn_session"
    peer.sessions = {3: "t.yamada", 4: "T.Yamada", 5: "t.yamada2"}
    with _firewall(tmp_path, peer) as blocking:
        firewall, values = Found(Sessions(blocking.settings)), {"account": "CITY\\t.yamada"}
        assert firewall.plan(action, values).changed and not firewall.verify(action, values)
        before = firewall.look(action, values)
        assert firewall.act(action, values).changed and firewall.verify(action, values)
        assert peer.sessions == {5: "t.yamada2"} and not firewall.act(action, values).changed
        assert before == {"sessions": 2} and not firewall.undo(action, values, before).changed
        with pytest.raises(Refused):
            firewall.act(action, {"account": "a/../b"})


@pytest.mark.parametrize("signed_in", ["user", "xauth_user", "username"])
def test_dialled_in_tunnels_are_ended_where_there_is_no_ssl_vpn(tmp_path: Path, signed_in: str) -> None:
    """FortiOS 7.6.3 and later: the person's IPsec sessions, with or without a domain, nobody else's, and no site's tunnel; also
    where there are both kinds. A client that calls itself by the person's name does not become theirs."""
    peer, action = FortiOs("t0ken", has_ssl=False, signed_in=signed_in), "firewall.end_vpn_session"
    peer.calls_itself = "t.yamada"
    peer.tunnels = {
        "staff_0": "CITY\\T.Yamada",
        "staff_1": "t.yamada@city.example.jp",
        "staff_2": "t.yamada2",
    }
    with _firewall(tmp_path, peer) as blocking:
        firewall, values = Found(Sessions(blocking.settings)), {"account": "t.yamada"}
        assert firewall.look(action, values) == {"sessions": 2} and not firewall.verify(action, values)
        assert firewall.act(action, values).changed and firewall.verify(action, values)
        assert peer.tunnels == {"staff_2": "t.yamada2"} and not firewall.act(action, values).changed
        peer.has_ssl, peer.sessions, peer.tunnels = True, {7: "t.yamada"}, {"staff_9": "t.yamada"}
        assert firewall.act(action, values).changed and not peer.sessions and not peer.tunnels


@pytest.mark.parametrize(("later", "left"), [(50, False), (-50, False), (150, True)])
def test_a_tunnel_is_the_same_however_its_age_is_rounded(tmp_path: Path, later: int, left: bool) -> None:
    """The firewall tells only how long ago a tunnel was dialled: less than a minute makes no other of it, more than two do."""
    peer, action, values = FortiOs("t0ken"), "firewall.end_vpn_session", {"account": "t.yamada"}
    peer.tunnels, peer.since = {"staff_0": "t.yamada"}, {"staff_0": 1_700_000_000}
    with _firewall(tmp_path, peer) as blocking:
        sessions = Found(Sessions(blocking.settings))
        shown = sessions.plan(action, values).extent
        assert shown is not None and len(shown) == 1
        peer.since["staff_0"] += later
        assert sessions.within(shown).act(action, values).changed is not left
