"""`playbooks:` of the configuration."""

from pathlib import Path

from pydantic import Field

from hinomi.config import Section


class PlaybookSettings(Section):
    """armed: playbooks that may act; every other one only shows its plan. protected: values (accounts, addresses,
    host names) that no playbook touches. paused: the kill switch, nothing acts at all."""

    armed: list[str] = Field(default_factory=list)
    protected: list[str] = Field(default_factory=list)
    folders: list[Path] = Field(default_factory=list)
    paused: bool = False
