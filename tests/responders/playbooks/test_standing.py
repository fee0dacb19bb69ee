"""An act that ends by itself: prolonged by as many people as it took, who name the same moment; it ends also where it was given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hinomi.clock import JST
from hinomi.errors import DependencyDown, Refused
from responders.connectors.protocol import Done
from responders.playbooks.run import StepState
from responders.playbooks.standing import KIND, prolonged
from tests.responders.playbooks.stage import Broken, Scene, scene, written

UNTIL = datetime(2026, 11, 23, tzinfo=UTC)
BLOCK = (
    "  - evidence: {of: [user.name]}\n"
    "  - {act: firewall.block_address, value: source.ip, for_hours: 24, retries: 1}\n"
)


@dataclass(slots=True)
class Lost(Broken):
    """Blocks, and the answer is lost; keeps: what it refuses to put back."""

    keeps: bool = False
    asked: list[str] = field(default_factory=list)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Done, unheard."""
        Broken.act(self, action, values)
        raise DependencyDown("応答がありません。", "no answer")

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, object]) -> Done:
        """Refused, or as ever."""
        self.asked.append(action)
        if self.keeps:
            raise Refused("戻せません。", "it cannot be put back")
        return Broken.undo(self, action, values, before)


def _given_up(folder: Path, hours: list[float], *, keeps: bool = False) -> Scene:
    """The address is blocked on a firewall whose answers are lost, until no more is tried. hours: between the rounds."""
    on = scene(folder, written(folder, BLOCK), stage=Lost(keeps=keeps))
    on.approve()
    on.tick()
    for later in hours:
        on.tick(later * 60)
    assert on.run.acts[0].state is StepState.FAILED and len(on.stage.done) == 1
    return on


@pytest.mark.parametrize("hours", [[13], [0.5, 0.5]], ids=["approval over", "tries over"])
def test_what_was_given_up_halfway_ends_all_the_same(tmp_path: Path, hours: list[float]) -> None:
    """For 24 hours, says the plan: the block is lifted then, though nobody knows whether it ever stood."""
    on = _given_up(tmp_path, hours)
    on.tick(23 * 60)
    assert len(on.stage.done) == 1
    on.tick(61)
    assert on.stage.done == set() and on.run.acts[0].state is StepState.UNDONE
    assert "playbook.expired_act" in on.audit() and not on.runs.records.find(KIND, {"state": "open"})


def test_what_cannot_be_lifted_is_tried_once(tmp_path: Path) -> None:
    """The firewall refuses to lift it: said in the step, and not tried again in each round."""
    on = _given_up(tmp_path, [0.5, 0.5], keeps=True)
    said = list[str]()
    for _ in range(3):
        on.clock.advance(timedelta(hours=25))
        said += [words.ja for _, words in on.runs.tick()]
    assert len(said) == 1 and "解除できません" in said[0]
    assert isinstance(on.stage, Lost) and on.stage.asked == ["firewall.block_address"]
    assert on.run.acts[0].result_ja == "戻せません。" and on.audit().count("playbook.expired_act") == 1


def test_the_same_moment_in_two_zones_is_the_same() -> None:
    """The page writes Japanese time, a call may write any zone: both mean one moment. Another moment begins anew, and one person
    alone is never two."""
    body = {"due": "2026-11-21T00:00:00+00:00", "state": "open"}
    first = prolonged(body, UNTIL.astimezone(JST), "e.abe", 2)
    assert first["due"] == body["due"] and first["asked"]["by"] == ["e.abe"]
    assert prolonged(first, UNTIL, "e.abe", 2)["asked"]["by"] == ["e.abe"]
    second = prolonged(first, UNTIL, "k.mori", 2)
    assert datetime.fromisoformat(second["due"]) == UNTIL and second["asked"] is None
    assert prolonged(first, UNTIL + timedelta(hours=1), "k.mori", 2)["asked"]["by"] == ["k.mori"]
