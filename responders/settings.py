"""The responders' part of the configuration."""

from typing import Self

from pydantic import Field, model_validator

from hinomi.config import Section
from responders.connectors.catalogue import Target
from responders.duties.contacts import ContactSettings
from responders.incidents.settings import IncidentSettings
from responders.notify.settings import NotifySettings
from responders.oncall.settings import OnCallSettings
from responders.playbooks.settings import PlaybookSettings


class ResponderSettings(Section):
    """`respond:` of the configuration. connectors: `directory`, `firewall`, `endpoint`, … → a target."""

    incidents: IncidentSettings = Field(default_factory=IncidentSettings)
    oncall: OnCallSettings = Field(default_factory=OnCallSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    playbooks: PlaybookSettings = Field(default_factory=PlaybookSettings)
    connectors: dict[str, Target] = Field(default_factory=dict)
    contacts: ContactSettings = Field(default_factory=ContactSettings)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        """Every channel that a person names is configured."""
        named = {channel for person in self.oncall.people.values() for channel in person.channels}
        missing = sorted(named - set(self.notify.channels))
        if missing:
            raise ValueError(
                f"notify.channels にない通知先があります: {'、'.join(missing)}|not among notify.channels: {', '.join(missing)}"
            )
        return self
