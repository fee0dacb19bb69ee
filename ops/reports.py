"""Making a report over a data folder, for the scheduler and the command line."""

from datetime import date, datetime, time
from pathlib import Path

from collectors.organizations import Organizations
from dashboards.console.rulebook import Rulebook
from dashboards.reporting import catalogue, signing
from dashboards.reporting.document import Ingredients
from dashboards.reporting.publish import Published, publish
from hinomi.clock import JST, Clock
from hinomi.store import Events, Records
from ops.folders import cache_folder
from ops.report_delivery import Deliveries
from ops.settings import Settings


def write(
    name: str,
    day: date,
    settings: Settings,
    clock: Clock,
    events: Events,
    records: Records,
    folder: Path,
    subject: str = "",
    *,
    data: Path,
    whose: str = "",
) -> list[Published]:
    """The report of the period that holds the day, in every form, hashed and signed. whose: the organisation of which alone it
    tells. Raises InputError for a report or an organisation that there is not. The
    signing key is the data folder's, whichever folder the report goes to."""
    kind = catalogue.find(name)
    book = Rulebook(settings.rules_in_force(data), cache_folder())
    towns = Organizations.of(settings.organizations).names
    ingredients = Ingredients(
        events,
        records,
        clock,
        settings.console.organization,
        subject,
        book,
        towns,
        periods=settings.retention.periods,
    )
    if whose:
        ingredients = ingredients.part_of(whose)
    document = kind.document(ingredients, datetime.combine(day, time(12), JST), settings.reports.language)
    folder.mkdir(parents=True, exist_ok=True)
    return publish(document, folder, records, signing.own_key(data))


def deliveries(settings: Settings, clock: Clock, records: Records) -> Deliveries:
    """What brings reports to the places of `reports.deliver`."""
    names = Organizations.of(settings.organizations).names
    return Deliveries(records, clock, settings.reports.deliver, settings.respond, names)
