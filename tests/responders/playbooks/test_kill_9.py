"""The short form of `benchmarks.crashes`: a real process is killed at points all over the run of every playbook."""

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import pytest

from benchmarks import crashes
from responders.connectors.protocol import Done
from tests.responders.playbooks.dying import OnDisk
from tests.responders.playbooks.stage import Broken

PLAYBOOKS = crashes.acting()
STRIDE = 41


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_killed_anywhere_each_effect_is_once_and_undo_gives_back_all(tmp_path: Path, name: str) -> None:
    """kill -9 at every forty-first point, another first one for each playbook; the benchmark takes them all."""
    tried, wrong = crashes.every_point(tmp_path, PLAYBOOKS[name], STRIDE, 1 + crc32(name.encode()) % STRIDE)
    assert tried and wrong == []


@pytest.mark.parametrize("name", ["account_takeover", "ransomware", "server_intrusion"])
def test_killed_anywhere_while_it_is_stopped(tmp_path: Path, name: str) -> None:
    """A person stops the run as soon as it waits for somebody: each effect once, all of it back, no request left that asks."""
    tried, wrong = crashes.every_point(tmp_path, PLAYBOOKS[name], 13, 2, crashes.HALTED)
    assert tried and wrong == []


@pytest.mark.parametrize("end", ["confirmed", "lapsed"])
def test_killed_anywhere_after_acting_first(tmp_path: Path, end: str) -> None:
    """A responder isolated a machine before the approval: killed at every eleventh point, it is isolated once; confirmed it goes
    on to its end, not confirmed in time it is put back once and planned again."""
    course = {"confirmed": crashes.CONFIRMED, "lapsed": crashes.LAPSED}[end]
    tried, wrong = crashes.every_point(tmp_path, PLAYBOOKS["isolate_endpoint"], 11, 3, course)
    assert tried and wrong == []


def test_the_campaign_notices_an_act_that_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that does not know that it is so already is done again after a crash, and the campaign says so."""

    def again(self: OnDisk, action: str, values: Mapping[str, str]) -> Done:
        self.load()
        self.done.discard((action, next(iter(values.values()))))
        return self._changing("act", action, values, lambda: Broken.act(self, action, values))

    monkeypatch.setattr(OnDisk, "act", again)
    monkeypatch.setattr(OnDisk, "load", lambda self: None)
    tried, wrong = crashes.every_point(tmp_path, PLAYBOOKS["block_address"], 4)
    assert tried > 5 and any("more than once" in one for one in wrong)
