"""Several systems behind one name: the switch that has the port, and all name servers; put back each as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import DependencyDown, Refused
from responders.connectors.catalogue import of_action
from responders.connectors.settings import Section
from responders.connectors.several import Several
from responders.connectors.squid_proxy import Squid
from responders.connectors.ssh_network import SshNetwork

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
