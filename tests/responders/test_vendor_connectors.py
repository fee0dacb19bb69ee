"""Vendors' APIs that contain, against local servers that follow the vendors' documents (`peers/clouds.py`): once, verified,
undone to exactly what was; busy is tried again, what is refused is for people, no secret in any word."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from hinomi.errors import DependencyDown, Refused
from responders.connectors.actions import ACTIONS
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import connector
from responders.connectors.protocol import Connector
from responders.playbooks.foretold import Patience
from responders.playbooks.run import RunState
from tests.responders.city import MANAGER
from tests.responders.peers import clouds
from tests.responders.peers.served import served
from tests.responders.peers.vendors import KINDS, MORE, key_file
from tests.responders.playbooks.stage import Scene, scene, written

ADAPTER: TypeAdapter[Any] = TypeAdapter(Section)
CASES = [
    ("crowdstrike", "endpoint.isolate", "pc-114", ["contain d1", "lift_containment d1"]),
    ("sentinelone", "endpoint.isolate", "PC-114.city.example.jp", ["disconnect 1", "connect 1"]),
    ("wazuh", "endpoint.isolate", "PC-114", ["PUT hinomi-isolated", "DELETE hinomi-isolated"]),
    ("google_directory", "cloud_directory.disable_account", "CITY\\t.yamada", ["patch", "patch"]),
    ("panos", "firewall.block_address", "203.0.113.66", ["register", "unregister"]),
    ("panos", "firewall.block_address", "2001:db8::66", ["register", "unregister"]),
    ("graph_mail", "mail.purge", "<1@example.net>", ["move"] * 6),
]
TRICKS = {
    "endpoint.isolate": ["pc-114'+hostname:'x", "pc-999", "", "x/../y", "端末"],
    "cloud_directory.disable_account": ["nobody", "x/../y", "", "a?b"],
    "cloud_directory.end_sessions": ["nobody", "x/../y"],
    "firewall.block_address": ["10.1.2.3", "203.0.113.0/24", "x</ip>", "::1", "fd00::1", "0.0.0.0"],
    "firewall.end_vpn_session": ["a<b", "", "x/../y"],
    "mail.purge": ["1' or 1 eq 1", "no-at", "<a@b>\r\nx", "<a@b'>"],
}


@contextmanager
def made(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Connector]]:
    """The vendor's server, and the connector to it from its configuration section."""
    make, more = {**KINDS, **MORE}[kind]
    monkeypatch.setenv("S", clouds.SECRET)
    monkeypatch.setenv("KEY", key_file())
    peer = make()
    with served(peer.app(), folder) as at:
        own = {name: text.format(url=at.url) for name, text in more.items()}
        yield peer, connector(ADAPTER.validate_python({"kind": kind, "url": at.url, "ca": str(at.ca), **own}))


@pytest.mark.parametrize(("kind", "action", "value", "calls"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_there_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, action: str, value: str, calls: list[str]
) -> None:
    """A plan changes nothing; twice is once; undo of what was so before leaves it; undo gives back all; tricks are refused."""
    with made(kind, tmp_path, monkeypatch) as (peer, own):
        values, was = {ACTIONS[action].value: value}, peer.state()
        assert own.health() == "" and own.plan(action, values).changed and peer.state() == was
        assert not own.verify(action, values)
        before = own.look(action, values)
        assert own.act(action, values).changed and own.verify(action, values)
        acted = peer.state()
        assert acted != was and not own.act(action, values).changed and not own.plan(action, values).changed
        own.undo(action, values, own.look(action, values))
        assert peer.state() == acted, "it was so before, it stays so"
        own.undo(action, values, before)
        assert peer.state() == was and not own.verify(action, values)
        own.undo(action, values, before)
        assert peer.state() == was and peer.calls == calls
        for trick in TRICKS[action]:
            with pytest.raises(Refused):
                own.act(action, {ACTIONS[action].value: trick})
        assert peer.state() == was


@pytest.mark.parametrize(("kind", "action", "value", "calls"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES])
def test_busy_and_a_wrong_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, action: str, value: str, calls: list[str]
) -> None:
    """A full quota is tried again later; a wrong secret is for a person, says nothing of it, and changes nothing."""
    with made(kind, tmp_path, monkeypatch) as (peer, own):
        values, was = {ACTIONS[action].value: value}, peer.state()
        peer.busy = 1
        with pytest.raises(DependencyDown, match="429") as busy:
            own.act(action, values)
        assert busy.value.after == 5
        for name in ("S", "KEY"):
            monkeypatch.setenv(name, "wr0ng-secret")
        with pytest.raises(Refused) as refused:
            own.act(action, values)
        assert "wr0ng" not in f"{refused.value}{own.health()}" and own.health() and peer.state() == was


def test_google_signs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-out leaves no state: it is done each time it is asked for, and cannot be taken back."""
    with made("google_directory", tmp_path, monkeypatch) as (peer, own):
        action, values = "cloud_directory.end_sessions", {"account": "t.yamada"}
        before = own.look(action, values)
        assert own.act(action, values).changed and own.verify(action, values) and peer.calls == ["signOut"]
        assert not own.undo(action, values, before).changed and peer.calls == ["signOut"]


def test_panos_ends_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session of the person, under whichever domain, and nobody else's."""
    with made("panos", tmp_path, monkeypatch) as (peer, own):
        action, values = "firewall.end_vpn_session", {"account": "CITY\\T.Yamada"}
        assert own.plan(action, values).changed and not own.verify(action, values)
        assert own.act(action, values).changed and own.verify(action, values)
        assert peer.sessions == [("", "t.yamada2", "NOTE-2")] and not own.act(action, values).changed
        for trick in TRICKS[action]:
            with pytest.raises(Refused):
                own.act(action, {"account": trick})


@pytest.mark.parametrize("kind", ["fortigate", "panos"])
def test_a_name_in_japanese_is_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The sessions of 山田 are ended, and nobody else's."""
    with made(kind, tmp_path, monkeypatch) as (peer, own):
        action, values = "firewall.end_vpn_session", {"account": "CITY\\山田"}
        fortigate = {3: "山田", 4: "山田2"}, {4: "山田2"}
        panos = [("city", "山田", "NOTE-1"), ("city", "山田2", "NOTE-2")], [("city", "山田2", "NOTE-2")]
        peer.sessions, left = fortigate if kind == "fortigate" else panos
        assert own.act(action, values).changed and own.verify(action, values) and peer.sessions == left


def test_wazuh_says_no_with_200(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside of an answer is an error; the script runs before the note is written, and again after a crash."""
    with made("wazuh", tmp_path, monkeypatch) as (peer, own):
        values = {"host": "pc-114"}
        peer.refuses = True
        with pytest.raises(Refused):
            own.act("endpoint.isolate", values)
        assert not own.verify("endpoint.isolate", values)
        peer.refuses = False
        own.act("endpoint.isolate", values)
        assert peer.ran == ["001 !hinomi-isolate add"]


def test_busy_for_one_mailbox_of_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graph answers the batch with 200 and one request in it with 429: it is left alone for as long as that says."""
    one = clouds.Mailboxes._one

    def busy(self: clouds.Mailboxes, asked: dict[str, Any]) -> dict[str, Any]:
        late = {"status": 429, "headers": {"Retry-After": "12"}}
        return late if "/u20/" in asked["url"] else one(self, asked)

    monkeypatch.setattr(clouds.Mailboxes, "_one", busy)
    with (
        made("graph_mail", tmp_path, monkeypatch) as (_, own),
        pytest.raises(DependencyDown, match="429") as told,
    ):
        own.act("mail.purge", {ACTIONS["mail.purge"].value: "<1@example.net>"})
    assert told.value.after == 12


def _purging(own: Connector, folder: Path, gate: str = "") -> Scene:
    """A plan to take the message out of the mailboxes, put to people."""
    steps = f"  - evidence: {{of: [user.name]}}\n{gate}  - {{act: mail.purge, value: email.message_id}}\n"
    on = scene(folder, written(folder, steps))
    on.runs.patience = Patience(30)  # how long a loaded machine takes is not what is tried here
    on.runs.world = replace(on.runs.world, connectors=lambda action, at: own)
    return on


GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 隔離します, shows_en: takes away}\n"
AWAY = "recoverableitemsdeletions"


@pytest.mark.parametrize("gate", ["", GATE], ids=["plan", "gate"])
def test_no_mail_is_taken_that_nobody_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: str
) -> None:
    """Three copies are shown and approved; a fourth comes before the act: it stays, that is said, and undo gives back the three."""
    with made("graph_mail", tmp_path, monkeypatch) as (peer, own):
        on, was = _purging(own, tmp_path, gate), peer.state()
        on.tick(31)  # put anew, to the target that it has by now
        if gate:
            on.approve()
            on.tick()
        assert on.step("mail.purge").result_ja == "3 通を隔離します。" and peer.state() == was
        peer.folders["u9"] = {"m4": "inbox"}
        on.approve(*(("mori", 1) if gate else ("suzuki",)))
        assert on.tick().state is RunState.DONE, on.run.journal
        lies = {one: at for own in peer.folders.values() for one, at in own.items()}
        assert lies == {"m1": AWAY, "m2": AWAY, "m3": AWAY, "m4": "inbox"}
        done = on.step("mail.purge")
        assert "3 通を隔離しました" in done.result_ja and "1 通が見つかりました" in done.result_ja
        assert "1 more were found" in done.result_en
        on.desk.undo(on.run_id, actor="mori", roles=["ciso"], note="誤検知")
        assert on.tick().state is RunState.UNDONE
        assert {one: at for own in peer.folders.values() for one, at in own.items()} == {
            "m1": "inbox",
            "m2": "inbox",
            "m3": "archive",
            "m4": "inbox",
        }


def test_mail_that_comes_while_it_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could be told how many there are (the service was busy): what is found when the act begins is taken and nothing else,
    so that undo gives back all of it."""
    with made("graph_mail", tmp_path, monkeypatch) as (peer, own):
        on = _purging(own, tmp_path)
        look = type(own).look

        def looking(self: Any, *arguments: Any) -> dict[str, Any]:
            found = look(self, *arguments)
            peer.folders.setdefault("u9", {"m4": "inbox"})
            return found

        on.approve()
        monkeypatch.setattr(type(own), "look", looking)
        assert on.run.acts[0].extent is None and on.tick().state is RunState.DONE
        on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="誤検知")
        assert on.tick().state is RunState.UNDONE and AWAY not in peer.state()
