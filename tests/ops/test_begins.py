"""Every playbook that comes with Hinomi can begin: a rule names it, or a person can, and knows what it asks for."""

from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops import begins
from ops.cli import _register, app
from ops.folders import packs_folder
from responders.playbooks.named import GIVEN, inputs
from responders.playbooks.playbook import catalogue

_register("")
PLAYBOOKS = catalogue()
NAMING = begins.naming(packs_folder())


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_it_can_begin(name: str) -> None:
    """And the list says how."""
    how = begins.of(PLAYBOOKS[name], NAMING)
    assert how.words.ja and how.words.en
    assert how.by_hand, f"nobody is asked for {set(inputs(PLAYBOOKS[name])) - set(GIVEN)}"
    [line] = [one for one in _listed().splitlines() if one.startswith(f"{name} ")]
    assert f"始まり: {how.words.ja} / begins: {how.words.en}" in line


def test_rules_name_playbooks_that_there_are() -> None:
    """A name that no playbook has would propose nothing, in silence."""
    assert NAMING.total() > 20 and set(NAMING) <= set(PLAYBOOKS)


def test_what_cannot_begin_is_found(tmp_path: Path) -> None:
    """One that no rule names and whose targets nobody is asked for: neither way is said; a rule's test file is no rule."""
    lost = PLAYBOOKS["lost_device"]
    odd = lost.model_copy(
        update={
            "playbook": "odd",
            "steps": [one.model_copy(update={"value": "process.pid"}) for one in lost.steps],
        }
    )
    (tmp_path / "a.yml").write_text(
        "title: x\nhinomi: {playbook: even}\n---\ntitle: y\nhinomi: {playbook: even}\n"
    )
    (tmp_path / "a.test.yml").write_text("- hinomi: {playbook: odd}\n")
    counted = begins.naming(tmp_path)
    assert counted["even"] == 2 and begins.of(odd, counted).words.ja == ""
    assert begins.of(lost, counted).words.en == "by hand"


@cache
def _listed() -> str:
    return CliRunner().invoke(app, ["playbooks", "list"]).stdout
