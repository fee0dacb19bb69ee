"""Several systems behind one name: the switch that has the port, and all name servers; put back each as it was."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import DependencyDown, Refused
from responders.connectors.catalogue import Targets, of_action
from responders.connectors.settings import Section
from responders.connectors.several import Several
from responders.connectors.squid_proxy import Squid
from responders.connectors.ssh_network import SshNetwork
from responders.playbooks.news import OTHER_SYSTEMS
from responders.playbooks.run import RunState, StepState
from responders.playbooks.systems import elsewhere
from tests.responders.city import MANAGER
from tests.responders.playbooks.stage import Broken, Scene, scene, written

NAME = {"name": "c2.example.net"}
SHUT, DENY = "switch.shut_port", "proxy.deny"


def switch(folder: Path, **ports: str) -> Section:
    """A switch with these machines on its ports, behind nothing that answers."""
    keys = {"key": folder / "key", "known_hosts": folder / "hosts"}
    own = {"host": "192.0.2.1", "user": "hinomi", "ports": ports, **keys}
    return SshNetwork.model_validate({"kind": "ssh_network", **own})


def proxies(folder: Path, *names: str, broken: str = "") -> dict[str, Section]:
    """Proxies by name, each with a list of its own; one of which does not take up what it reads."""
    for name in names:
        if not (folder / name).exists():
            (folder / name).write_text(f"# {name}\n.other.example\n")
    return {
        name: Squid.model_validate(
            {"kind": "squid", "file": folder / name, "reload": ["sh", "-c", f"exit {7 * (name == broken)}"]}
        )
        for name in names
    }


def denied(folder: Path, *names: str) -> list[bool]:
    return ["c2.example.net" in (folder / name).read_text() for name in names]


def test_the_switch_that_has_the_port(tmp_path: Path) -> None:
    """One of three knows the machine; none and two are refused, before anything is asked of a switch."""
    own = {
        "switch": switch(tmp_path, a="Gi1/0/1"),
        "switch-2f": switch(tmp_path, b="Gi1/0/2", c="Gi1/0/3"),
        "switch-annex": switch(tmp_path, c="Gi1/0/4"),
        "switchboard": switch(tmp_path, b="Gi1/0/9"),
    }
    found = of_action(SHUT, own)
    assert isinstance(found, Several)
    assert [name for name, _ in found._for(SHUT, {"host": "b"})] == ["switch-2f"]
    for host, words in (("nowhere", "どれにも"), ("c", "switch-2f、switch-annex")):
        with pytest.raises(Refused, match=words):
            found.plan(SHUT, {"host": host})


def test_all_proxies_deny_and_each_is_put_back(tmp_path: Path) -> None:
    """Denied at both, as it was at both, byte by byte; a name that one of them had denied before stays denied there."""
    names = "proxy", "proxy-2"
    own = proxies(tmp_path, *names)
    (tmp_path / "proxy-2").write_text("# two\n.c2.example.net\n")
    was = [(tmp_path / name).read_bytes() for name in names]
    found = of_action(DENY, own)
    assert found is not None and found.plan(DENY, NAME).changed
    before = found.look(DENY, NAME)
    found.act(DENY, NAME)
    assert found.verify(DENY, NAME) and denied(tmp_path, *names) == [True, True]
    found.undo(DENY, NAME, before)
    assert [(tmp_path / name).read_bytes() for name in names] == was


def test_one_that_is_away_is_tried_again_and_keeps_no_other_from_being_put_back(tmp_path: Path) -> None:
    """Halfway through, then whole: what is so already stays; undone, the one that answers is put back at once."""
    names = "proxy", "proxy-2"
    found = of_action(DENY, proxies(tmp_path, *names, broken="proxy-2"))
    assert found is not None
    before = found.look(DENY, NAME)
    with pytest.raises(DependencyDown):
        found.act(DENY, NAME)
    again = of_action(DENY, proxies(tmp_path, *names))
    assert again is not None and again.act(DENY, NAME) and again.verify(DENY, NAME)
    with pytest.raises(DependencyDown):
        found.undo(DENY, NAME, before)
    assert denied(tmp_path, "proxy") == [False]
    again.undo(DENY, NAME, before)
    assert denied(tmp_path, *names) == [False, False]


@pytest.mark.parametrize(("then", "now"), [(1, 2), (2, 1)])
def test_the_configuration_changes_while_it_stands(tmp_path: Path, then: int, now: int) -> None:
    """One became two: it is put back there alone. Two became one: the other is named, and put back once it is configured again."""
    names = ["proxy", "proxy-2"]
    first = of_action(DENY, proxies(tmp_path, *names[:then]))
    assert first is not None
    before: Mapping[str, Any] = first.look(DENY, NAME)
    first.act(DENY, NAME)
    later = of_action(DENY, proxies(tmp_path, *names[:now]))
    assert later is not None
    if now < then:
        with pytest.raises(DependencyDown, match="proxy-2"):
            later.undo(DENY, NAME, before)
        later = of_action(DENY, proxies(tmp_path, *names))
        assert later is not None
    later.undo(DENY, NAME, before)
    assert not any(denied(tmp_path, *names[: max(then, now)]))


def test_put_back_where_it_was_done(tmp_path: Path) -> None:
    """`proxy-hq` alone acted, then the annex has one, first by the alphabet: hq is put back, and nothing is done at the annex. What was
    found before names were kept is of `proxy`, and where there is none of that name nothing is put back, and that is said."""
    names = "proxy-annex", "proxy-hq"
    hq = of_action(DENY, proxies(tmp_path, "proxy-hq"))
    assert hq is not None
    before = hq.look(DENY, NAME)
    hq.act(DENY, NAME)
    both = of_action(DENY, proxies(tmp_path, *names))
    assert both is not None
    of_annex = of_action(DENY, proxies(tmp_path, "proxy-annex"))
    assert of_annex is not None and of_annex.act(DENY, NAME)
    with pytest.raises(DependencyDown, match="「proxy」"):
        both.undo(DENY, NAME, before["each"]["proxy-hq"])
    assert denied(tmp_path, *names) == [True, True]
    both.undo(DENY, NAME, before)
    assert denied(tmp_path, *names) == [True, False]


def planned(folder: Path, steps: str, *names: str, broken: str = "") -> Scene:
    """A plan with these steps, put to people over these proxies."""
    on = scene(folder, written(folder, "  - evidence: {of: [user.name]}\n" + steps))
    configured(on, folder, *names, broken=broken)
    on.tick()
    return on


def configured(on: Scene, folder: Path, *names: str, broken: str = "") -> None:
    """Begun anew over these proxies."""
    world = replace(on.runs.world, connectors=Targets(proxies(folder, *names, broken=broken)))
    on.runs = replace(on.runs, world=world)


_DENY = "  - {act: proxy.deny, value: url.domain}\n"


def test_a_system_that_nobody_approved(tmp_path: Path) -> None:
    """Approved for one, and there is a second when it comes to be done: nothing is done, and people are asked for both by name."""
    on = planned(tmp_path, _DENY, "proxy")
    assert "接続先" not in on.step(DENY).title_ja
    on.approve()
    proxies(tmp_path, "proxy-2")
    configured(on, tmp_path, "proxy", "proxy-2")
    assert on.tick().state is RunState.PROPOSED
    assert not any(denied(tmp_path, "proxy", "proxy-2"))
    assert on.runs.news == [(on.run, OTHER_SYSTEMS)]
    assert on.step(DENY).title_ja.endswith("(接続先: proxy、proxy-2)")
    on.approve()
    assert on.tick().state is RunState.DONE and denied(tmp_path, "proxy", "proxy-2") == [True, True]


def test_a_gate_names_the_systems_of_what_it_covers(tmp_path: Path) -> None:
    """Whoever decides at the gate reads where it would be done; of one system, which steps call by its very name, nothing is said."""
    gate = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: denies}\n"
    on = planned(tmp_path, gate + _DENY, "proxy", "proxy-2")
    [asked] = [step for step in on.run.steps if step.kind == "approve"]
    assert asked.title_ja.endswith("(接続先: proxy、proxy-2)") and asked.title_en.endswith(
        "(at proxy, proxy-2)"
    )
    configured(on, tmp_path, "proxy")
    on.approve()
    assert on.tick().state is RunState.PROPOSED, "asked anew, as it is for others now"
    [asked] = [step for step in on.run.steps if step.kind == "approve"]
    assert "接続先" not in asked.title_ja
    on.approve()
    assert on.tick().state is RunState.RUNNING


def test_one_that_comes_while_it_runs(tmp_path: Path) -> None:
    """The plan is approved and has begun: done at the one that was approved, and the result names the other."""
    on = planned(tmp_path, "  - wait_minutes: 5\n" + _DENY, "proxy")
    on.approve()
    on.tick()
    configured(on, tmp_path, "proxy", "proxy-2")
    assert on.tick(6).state is RunState.DONE
    assert denied(tmp_path, "proxy", "proxy-2") == [True, False]
    assert "「proxy-2」では行っていません" in on.step(DENY).result_ja


def test_begun_at_one_and_carried_on_with_two(tmp_path: Path) -> None:
    """Looked at when there was one: the act is carried to its end there alone, and undo restores both, byte by byte."""
    on = planned(tmp_path, _DENY, "proxy", broken="proxy")
    proxies(tmp_path, "proxy-2")
    was = [(tmp_path / name).read_bytes() for name in ("proxy", "proxy-2")]
    on.approve()
    on.tick()
    assert on.step(DENY).state is StepState.STARTED
    configured(on, tmp_path, "proxy", "proxy-2")
    assert on.tick(3).state is RunState.DONE and denied(tmp_path, "proxy", "proxy-2") == [True, False]
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="誤検知")
    assert on.tick().state is RunState.UNDONE
    assert [(tmp_path / name).read_bytes() for name in ("proxy", "proxy-2")] == was


@dataclass(slots=True)
class _Account(Broken):
    """Whose the target is, it asks the network, as for a bucket."""

    mine: bool = False
    away: bool = False

    def knows(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether it is its own, if it answers."""
        if self.away:
            raise DependencyDown("応答がありません。", "no answer")
        return self.mine


@pytest.mark.parametrize("proposed", [True, False])
def test_an_account_that_is_away_holds_up_no_act_on_what_is_anothers(tmp_path: Path, proposed: bool) -> None:
    """Away when it is proposed, or only since: it is done where it is known. Where none that answers knows it, it is tried again."""
    on = scene(tmp_path, written(tmp_path, "  - evidence: {of: [user.name]}\n  - wait_minutes: 5\n" + _DENY))
    ours, theirs = _Account(mine=True), _Account(away=proposed)
    own = Several({"proxy": theirs, "proxy-2": ours}, "proxy")
    on.runs = replace(on.runs, world=replace(on.runs.world, connectors=lambda action, at: own))
    on.tick()
    assert on.step(DENY).systems == ["proxy-2"]
    on.approve()
    on.tick()
    theirs.away = True
    assert on.tick(6).state is RunState.DONE and len(ours.acts) == 1 and theirs.acts == []
    ours.mine = False
    with pytest.raises(DependencyDown):
        own.names(DENY, NAME)


def test_what_is_done_stays_done_where_nobody_says_whose_it_is(tmp_path: Path) -> None:
    """None of them answers any more once it is done: the step is done, and nothing is said of other systems."""
    on = scene(tmp_path, written(tmp_path, "  - evidence: {of: [user.name]}\n" + _DENY))
    own = Several({"proxy": _Account(away=True), "proxy-2": _Account(away=True)}, "proxy")
    act = on.run.acts[0].model_copy(update={"systems": ["proxy-2"]})
    assert not elsewhere(own, act).changed and elsewhere(own, act).ja == ""


class _Unseen(Broken):
    """A part of it does not answer when it is looked at."""

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        return {"held": False, "unknown": ["pc-2"]}


def test_a_part_of_one_that_was_not_seen(tmp_path: Path) -> None:
    """Refused, and looking finds the same as before: what was not seen may have changed, so that it can still be put back."""
    on = scene(tmp_path, written(tmp_path, "  - evidence: {of: [user.name]}\n" + _DENY))
    own = Several({"proxy": _Unseen(refuses={DENY})}, "proxy")
    on.runs.world = replace(on.runs.world, connectors=lambda action, at: own)
    on.approve()
    assert on.tick().state is RunState.FAILED and on.step(DENY).touched
