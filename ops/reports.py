"""Making a report over a data folder, for the scheduler and the command line."""

from datetime import date, datetime, time
from pathlib import Path

from dashboards.reporting import catalogue
from dashboards.reporting.document import Ingredients
from dashboards.reporting.publish import Published, publish
from hinomi.clock import JST, Clock
from hinomi.store import Events, Records
from ops.settings import Settings


def write(
    name: str, day: date, settings: Settings, clock: Clock, events: Events, records: Records, folder: Path
) -> list[Published]:
    """The report of the day as HTML and PDF, hashed. Raises InputError for a report that there is not."""
    kind = catalogue.find(name)
    ingredients = Ingredients(events, records, clock, settings.console.organization)
    document = kind.make(ingredients, datetime.combine(day, time(12), JST), settings.reports.language)
    return publish(document, folder, records)
