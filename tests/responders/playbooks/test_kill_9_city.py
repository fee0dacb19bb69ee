"""The short form of `benchmarks.crashes_city`: killed around and in the middle of acts on real targets, each change is sent once."""

from pathlib import Path

import pytest

from benchmarks import crashes_city
from responders.connectors import ldap_directory
from responders.connectors.ldap_changes import Locking

PLAYBOOKS = crashes_city.acting()
pytestmark = pytest.mark.peer


@pytest.mark.parametrize("name", ["rpa_misuse", "vpn_compromise"])
def test_killed_in_the_middle_of_an_act(tmp_path: Path, name: str) -> None:
    """An OpenLDAP and a FortiGate: before and after each modification, and back, nothing is sent twice and all is as it was."""
    tried, wrong = crashes_city.every_point(tmp_path / "city", PLAYBOOKS[name], (21, 22, 23, 43, 44))
    assert tried == 5 and wrong == []


def test_the_campaign_notices_a_change_that_is_sent_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connector that does not look whether it is so already locks the account again after a crash."""
    careless = lambda action, settings, extent: Locking(settings, anew=True)  # noqa: E731
    monkeypatch.setattr(ldap_directory, "change", careless)
    tried, wrong = crashes_city.every_point(tmp_path / "city", PLAYBOOKS["rpa_misuse"], (23,))
    assert tried == 1 and any("sent 2 times, not 1" in one for one in wrong)


def test_every_target_of_every_playbook_has_a_product() -> None:
    """Only cloud storage has none: moto's server is tried on its own (test_s3_bucket)."""
    without = {
        step.act
        for one in PLAYBOOKS.values()
        for step in one.acts
        if (step.target or step.act.partition(".")[0]) not in crashes_city.products(one)
    }
    assert without <= {"storage.block_public"}
