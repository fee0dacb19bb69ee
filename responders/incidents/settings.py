"""`incidents:` of the configuration."""

from pydantic import Field

from hinomi.alert import Level
from hinomi.config import Section


class IncidentSettings(Section):
    """window_hours: alerts that share an entity within it join; opens_at: the lowest level that opens an incident.

    common_addresses: addresses that many people share (the city's own NAT, proxies): they join nothing; privileged:
    accounts of administrators, which weigh in the risk.
    """

    window_hours: int = Field(default=24, ge=1, le=24 * 30)
    opens_at: Level = Level.MEDIUM
    common_addresses: list[str] = Field(default_factory=list)
    privileged: list[str] = Field(default_factory=list)
