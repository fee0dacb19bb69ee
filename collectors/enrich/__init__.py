"""What the city knows about an address, a host and a person, added to events as columns."""

from collectors.enrich.enricher import Enricher
from collectors.enrich.settings import EnrichSettings

__all__ = ["EnrichSettings", "Enricher"]
