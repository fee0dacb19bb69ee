"""The responders' part of the configuration."""

from pydantic import Field

from hinomi.config import Section
from responders.connectors.settings import Target
from responders.incidents.settings import IncidentSettings
from responders.notify.settings import NotifySettings
from responders.oncall.settings import OnCallSettings
from responders.playbooks.settings import PlaybookSettings


class ResponderSettings(Section):
    """`respond:` of the configuration. connectors: `directory`, `firewall`, `endpoint` → a target."""

    incidents: IncidentSettings = Field(default_factory=IncidentSettings)
    oncall: OnCallSettings = Field(default_factory=OnCallSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    playbooks: PlaybookSettings = Field(default_factory=PlaybookSettings)
    connectors: dict[str, Target] = Field(default_factory=dict)
