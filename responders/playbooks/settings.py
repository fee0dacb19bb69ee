"""`playbooks:` of the configuration."""

from pathlib import Path

from pydantic import Field, field_validator

from hinomi.config import Section
from responders.connectors.actions import Reach

AN_HOUR: dict[Reach, int] = {
    Reach.ACCOUNT: 10,
    Reach.ADDRESS: 50,
    Reach.ENDPOINT: 5,
    Reach.MESSAGE: 20,
    Reach.SEGMENT: 1,
    Reach.SERVICE: 3,
    Reach.RECORD: 1000,
}
"""Most acts of each reach in an hour where the configuration does not say otherwise."""


class PlaybookSettings(Section):
    """armed: playbooks that may act; every other one only shows its plan. protected: values (accounts, addresses,
    networks, host names, patterns with `*`) that no playbook touches; protected_groups: the same by group
    (`domain_controllers`, `lgwan_gateway`, `resident_services`, `executives`). paused: the kill switch, nothing acts at
    all. an_hour: most acts of a reach (`account`, `endpoint`, `address` …) in an hour over all playbooks; a
    reach that is not named keeps its default."""

    armed: list[str] = Field(default_factory=list)
    protected: list[str] = Field(default_factory=list)
    protected_groups: dict[str, list[str]] = Field(default_factory=dict)
    folders: list[Path] = Field(default_factory=list)
    paused: bool = False
    an_hour: dict[Reach, int] = Field(default_factory=lambda: dict(AN_HOUR))

    @field_validator("an_hour")
    @classmethod
    def _over_the_defaults(cls, own: dict[Reach, int]) -> dict[Reach, int]:
        """Whoever tightens one limit lifts no other."""
        return AN_HOUR | own
