"""Acts that touch what a search finds touch what was shown to whoever approved, with real protocols: what appears later stays and is said,
undo gives back exactly what was taken, also where the process dies in between."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ldap3
import pytest

from hinomi.errors import Refused
from hinomi.ldap import opened
from responders.connectors.actions import ACTIONS
from responders.connectors.catalogue import connector
from responders.connectors.protocol import Connector
from responders.playbooks.foretold import Patience
from responders.playbooks.run import RunState
from tests.responders.city import MANAGER
from tests.responders.playbooks.stage import Scene, scene, written
from tests.responders.slapd import ADMINS, BASE, PRIVILEGED, ROBOT, ROBOT_PASSWORD, Directory, directory
from tests.responders.test_vendor_connectors import ADAPTER, made

GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 行います, shows_en: does it}\n"
OTHERS = f"cn=operators,{BASE}"
_OTHERS = "".join(
    f"\n{line}"
    for line in (
        f"dn: {OTHERS}",
        "objectClass: groupOfNames",
        "cn: operators",
        f"member: cn=hinomi,{BASE}",
        "",
    )
)


def planned(own: Connector, folder: Path, action: str, gate: str = "") -> Scene:
    """A plan with this act on t.yamada, put to people over the connector."""
    undo = str(ACTIONS[action].undoable).lower()
    steps = (
        f"  - evidence: {{of: [user.name]}}\n{gate}  - {{act: {action}, value: user.name, undo: {undo}}}\n"
    )
    on = scene(folder, written(folder, steps))
    on.runs.patience = Patience(30)  # how long a loaded machine takes is not what is tried here
    on.runs.world = replace(on.runs.world, connectors=lambda action, at: own)
    on.tick(31)  # put anew, to the target that it has by now
    if gate:
        on.approve()
        on.tick()
    return on


def _rule(peer: Any) -> None:
    peer.rules["r3"] = {"id": "r3", "isEnabled": True, "actions": {"delete": True}}


def _ssl(peer: Any) -> None:
    peer.sessions[9] = "t.yamada"


def _gateway(peer: Any) -> None:
    peer.sessions.append(("city", "t.yamada", "NOTE-9"))


def _ssl_anew(peer: Any) -> None:
    peer.since[3] = time.time()


def _tunnel_anew(peer: Any) -> None:
    peer.since["staff_0"] = time.time()


def _gateway_anew(peer: Any) -> None:
    peer.since["PHONE"] = 1_800_000_000


@pytest.mark.parametrize("gate", ["", GATE], ids=["plan", "gate"])
@pytest.mark.parametrize(
    ("kind", "action", "before", "later", "left"),
    [
        (
            "entra_graph",
            "mail.remove_rules",
            lambda peer: None,
            _rule,
            lambda peer: [one for one, rule in peer.rules.items() if rule["isEnabled"]] == ["r2", "r3"],
        ),
        (
            "fortigate",
            "firewall.end_vpn_session",
            lambda peer: peer.sessions.update({3: "t.yamada"}),
            _ssl,
            lambda peer: peer.sessions == {9: "t.yamada"},
        ),
        (
            "panos",
            "firewall.end_vpn_session",
            lambda peer: None,
            _gateway,
            lambda peer: ("city", "t.yamada", "NOTE-9") in peer.sessions and len(peer.sessions) == 2,
        ),
        (
            "fortigate",
            "firewall.end_vpn_session",
            lambda peer: peer.sessions.update({3: "t.yamada", 4: "t.yamada"}),
            _ssl_anew,
            lambda peer: peer.sessions == {3: "t.yamada"},
        ),
        (
            "fortigate",
            "firewall.end_vpn_session",
            lambda peer: peer.tunnels.update({"staff_0": "t.yamada", "staff_1": "t.yamada"}),
            _tunnel_anew,
            lambda peer: peer.tunnels == {"staff_0": "t.yamada"},
        ),
        (
            "panos",
            "firewall.end_vpn_session",
            lambda peer: None,
            _gateway_anew,
            lambda peer: peer.sessions == [("city", "t.yamada", "PHONE"), ("", "t.yamada2", "NOTE-2")],
        ),
    ],
    ids=["rules", "fortigate", "panos", "ssl-anew", "ipsec-anew", "panos-anew"],
)
def test_what_came_since_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate: str,
    kind: str,
    action: str,
    before: Callable[[Any], None],
    later: Callable[[Any], None],
    left: Callable[[Any], bool],
) -> None:
    """One more comes between the approval and the act: what was counted is taken, that one is not, and the result says so."""
    with made(kind, tmp_path, monkeypatch) as (peer, own):
        before(peer)
        on = planned(own, tmp_path, action, gate)
        shown = on.step(action)
        assert shown.extent and f"{len(shown.extent)} " in shown.result_ja
        later(peer)
        on.approve(*(("mori", on.step("approve").index) if gate else ("suzuki",)))
        assert on.tick().state is RunState.DONE, on.run.journal
        done = on.step(action)
        assert left(peer) and "承認のあとに 1 " in done.result_ja and "1 more were found" in done.result_en


def test_rules_are_given_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leaking rule that appears while the act is begun is neither disabled nor, after undo, touched: only r1 is, there and back."""
    with made("entra_graph", tmp_path, monkeypatch) as (peer, own):
        on, was = planned(own, tmp_path, "mail.remove_rules"), peer.state()
        on.approve()
        assert on.tick().state is RunState.DONE and not peer.rules["r1"]["isEnabled"]
        peer.rules["r3"] = {"id": "r3", "isEnabled": False, "actions": {"delete": True}}
        on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="誤検知")
        assert on.tick().state is RunState.UNDONE and not peer.rules.pop("r3")["isEnabled"]
        assert peer.state() == was


def test_a_rule_that_was_deleted_since_keeps_no_other_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undo passes over what an administrator deleted, gives the rest back, and says how many those are."""
    with made("entra_graph", tmp_path, monkeypatch) as (peer, own):
        for name in ("r0", "r3"):
            peer.rules[name] = {"id": name, "isEnabled": True, "actions": {"delete": True}}
        on = planned(own, tmp_path, "mail.remove_rules")
        on.approve()
        assert on.tick().state is RunState.DONE and not peer.rules["r3"]["isEnabled"]
        del peer.rules["r1"]
        on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="誤検知")
        assert on.tick().state is RunState.UNDONE and all(one["isEnabled"] for one in peer.rules.values())
        assert "2 件を元に戻しました" in on.step("rules").result_ja


def test_nothing_was_found_and_nothing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session was there to be shown: one that begins afterwards is said, not ended on an approval of none."""
    with made("fortigate", tmp_path, monkeypatch) as (peer, own):
        on = planned(own, tmp_path, "firewall.end_vpn_session")
        assert on.step("vpn").extent == [] and "ありません" in on.step("vpn").result_ja
        peer.sessions[9] = "t.yamada"
        on.approve()
        assert on.tick().state is RunState.DONE and peer.sessions == {9: "t.yamada"}
        assert on.step("vpn").result_ja.startswith(
            "承認のときに見つかったものは、ありません。承認のあとに 1 本"
        )


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Directory, Connector]]:
    """A real OpenLDAP with two privileged groups, t.yamada in one of them."""
    monkeypatch.setenv("HINOMI_LDAP", ROBOT_PASSWORD)
    with directory(tmp_path / "ldap", PRIVILEGED + _OTHERS) as server:
        section = {"kind": "ldap", "url": server.url, "base": BASE, "bind_dn": ROBOT, "method": "ppolicy"}
        section |= {"password": "env:HINOMI_LDAP", "privileged_groups": [ADMINS, OTHERS]}
        yield server, connector(ADAPTER.validate_python(section))


@contextmanager
def _bound(server: Directory) -> Iterator[Any]:
    connection = ldap3.Connection(ldap3.Server(server.url, get_info=ldap3.NONE), ROBOT, ROBOT_PASSWORD)
    with opened(connection, starttls=False):
        assert connection.bind(), connection.result
        yield connection


@pytest.mark.peer
def test_a_group_that_was_joined_since_is_left(tmp_path: Path, groups: tuple[Directory, Connector]) -> None:
    """The one group is shown by its name and left; another, joined before the act, is not, and the result says so; undo restores the
    directory bit by bit as it was then."""
    server, own = groups
    person = f"uid=t.yamada,{BASE}"
    on = planned(own, tmp_path, "directory.remove_from_groups")
    assert on.step("groups").extent == [ADMINS] and ADMINS in on.step("groups").result_ja
    with _bound(server) as connection:
        assert connection.modify(OTHERS, {"member": [(ldap3.MODIFY_ADD, [person])]})
    was = server.whole()
    on.approve()
    assert on.tick().state is RunState.DONE, on.run.journal
    with _bound(server) as connection:
        assert not connection.search(ADMINS, f"(member={person})", search_scope=ldap3.BASE)
        assert connection.search(OTHERS, f"(member={person})", search_scope=ldap3.BASE)
    assert on.step("groups").result_ja.startswith(f"{person} を特権グループから外しました。承認のあとに 1 個")
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="誤検知")
    assert on.tick().state is RunState.UNDONE and server.whole() == was


@pytest.mark.peer
def test_in_no_group_when_it_was_approved(tmp_path: Path, groups: tuple[Directory, Connector]) -> None:
    """Nothing was there to be shown: a group that is joined afterwards is said, without "in no group" before it, and stays."""
    server, own = groups
    person = f"uid=t.yamada,{BASE}"
    with _bound(server) as connection:
        assert connection.modify(ADMINS, {"member": [(ldap3.MODIFY_DELETE, [person])]})
    on = planned(own, tmp_path, "directory.remove_from_groups")
    assert on.step("groups").extent == [] and "入っていません" in on.step("groups").result_ja
    with _bound(server) as connection:
        assert connection.modify(OTHERS, {"member": [(ldap3.MODIFY_ADD, [person])]})
    was = server.whole()
    on.approve()
    assert on.tick().state is RunState.DONE and server.whole() == was
    assert on.step("groups").result_ja.startswith(
        "承認のときに見つかったものは、ありません。承認のあとに 1 個"
    )


@pytest.mark.peer
def test_a_group_that_is_gone_keeps_nobody_out_of_the_others(groups: tuple[Directory, Connector]) -> None:
    """Undo puts back what can be, and says which group there is no more."""
    server, own = groups
    action, values, was = "directory.remove_from_groups", {"account": "t.yamada"}, server.whole()
    before = own.look(action, values)
    assert own.act(action, values).changed and before["before"] == [ADMINS]
    gone = f"cn=gone,{BASE}"
    with pytest.raises(Refused, match=gone):
        own.undo(action, values, before | {"before": [gone, ADMINS]})
    assert server.whole() == was
