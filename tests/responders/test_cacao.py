"""CACAO 2.0: every playbook goes out, is valid, and comes back the same; a stranger's comes in as work for people."""

import copy
from typing import Any

import orjson
import pytest

from hinomi.errors import HinomiError
from responders.cacao.document import checked
from responders.cacao.export import EXTENSION, exported
from responders.cacao.importing import imported
from responders.playbooks.playbook import Playbook, catalogue

PLAYBOOKS = catalogue()


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_out_and_back(name: str) -> None:
    """Valid by the constraints of the specification, the same each time, and the same playbook when read again."""
    document = orjson.loads(orjson.dumps(exported(PLAYBOOKS[name])))
    assert document == orjson.loads(orjson.dumps(exported(PLAYBOOKS[name])))
    back = imported(checked(document, name), name, name)
    assert Playbook.model_validate(back) == PLAYBOOKS[name]
    commands = [one for step in document["workflow"].values() for one in step.get("commands", [])]
    assert document["playbook_activities"] == sorted({one["playbook_activity"] for one in commands})


def test_what_may_be_done_before_its_approval_travels_along() -> None:
    """`act_first` stands in a step's extension (CACAO 2.0 `step_extensions`), whose definition the document holds
    (`extension_definitions`), and in words for who does not know the extension."""
    marked = {name: one for name, one in PLAYBOOKS.items() if any(step.act_first for step in one.acts)}
    assert set(marked) >= {"isolate_endpoint", "malware_endpoint"}
    for name, playbook in marked.items():
        document = orjson.loads(orjson.dumps(exported(playbook)))
        steps = [one for one in document["workflow"].values() if EXTENSION in one.get("step_extensions", {})]
        [step] = [one for one in steps if "act_first" in one["step_extensions"][EXTENSION]]
        assert step["step_extensions"][EXTENSION]["act_first"]["confirm_within_hours"] > 0
        assert "before the approval" in step["commands"][0]["description"]
        defined = document["extension_definitions"][EXTENSION]
        assert defined["type"] == "extension-definition" and "act_first" in defined["description"]
        back = Playbook.model_validate(imported(checked(document, name), name, name))
        assert [one.act_first for one in back.acts] == [one.act_first for one in playbook.acts]


def _id(kind: str, n: int) -> str:
    return f"{kind}--00000000-0000-4000-8000-{n:012d}"


FOREIGN: dict[str, Any] = {
    "type": "playbook",
    "spec_version": "cacao-2.0",
    "id": _id("playbook", 1),
    "name": "Block and look",
    "created_by": _id("identity", 1),
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00Z",
    "workflow_start": _id("start", 1),
    "workflow": {
        _id("start", 1): {"type": "start", "on_completion": _id("if-condition", 1)},
        _id("if-condition", 1): {
            "type": "if-condition",
            "condition": "__severity__:value == 'high'",
            "on_true": _id("action", 1),
            "on_completion": _id("end", 1),
        },
        _id("action", 1): {
            "type": "action",
            "name": "block",
            "agent": _id("organization", 1),
            "commands": [{"type": "ssh", "command": "rm -rf /"}],
            "on_success": _id("end", 2),
        },
        _id("end", 1): {"type": "end"},
        _id("end", 2): {"type": "end"},
    },
    "agent_definitions": {_id("organization", 1): {"type": "organization", "name": "SOC"}},
}


def test_a_stranger_s_commands_are_work_for_people() -> None:
    """No act comes of it: its command is a task's text, its condition a question."""
    playbook = Playbook.model_validate(imported(checked(FOREIGN, "x"), "x", "x"))
    assert playbook.acts == [] and [step.kind for step in playbook.steps] == ["task", "choice"]
    assert playbook.steps[1].then[0].task_ja == "block; rm -rf /"


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (["spec_version"], "cacao-1.0", "spec_version"),
        (["id"], "playbook--1", "id"),
        (["created"], "2026-01-01", "created"),
        (["created_by"], None, "created_by"),
        (["workflow_start"], _id("end", 1), "workflow_start"),
        (["workflow", _id("action", 1), "agent"], None, "agent"),
        (["workflow", _id("action", 1), "on_success"], _id("end", 9), "workflow"),
        (["workflow", _id("start", 1), "on_completion"], None, "on_completion"),
        (["workflow", _id("end", 1), "on_completion"], _id("end", 2), "on_completion"),
        (["workflow", _id("if-condition", 1), "condition"], None, "condition"),
        (["workflow", _id("action", 1), "step_extensions"], {}, "step_extensions"),
        (["agent_definitions", _id("organization", 1), "name"], None, "agent_definitions"),
        (["agent_definitions", _id("organization", 1), "type"], "security-category", "category"),
        (["extension_definitions"], {_id("extension-definition", 1): {"name": "x"}}, "extension_definitions"),
    ],
)
def test_what_is_not_cacao_is_refused_by_key(path: list[str], value: Any, key: str) -> None:
    """One change to a good document: refused, with the key that is wrong."""
    document = copy.deepcopy(FOREIGN)
    at = document
    for part in path[:-1]:
        at = at[part]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    with pytest.raises(HinomiError, match=key):
        checked(document, "x.json")


def test_a_loop_is_refused() -> None:
    """Steps that come back to themselves would never end."""
    document = copy.deepcopy(FOREIGN)
    document["workflow"][_id("action", 1)]["on_success"] = _id("if-condition", 1)
    with pytest.raises(HinomiError, match="輪"):
        imported(checked(document, "x"), "x", "x")
