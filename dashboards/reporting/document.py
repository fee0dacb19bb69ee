"""A report before it has a form: sections of text, tables and charts, each figure with where it came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from dashboards.records_apart import RecordsApart
from dashboards.texts import Texts
from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.organization import FIELD
from hinomi.query import quoted
from hinomi.retention import DEFAULTS, Period
from hinomi.store import Events, Records
from hinomi.store.apart import EventsApart
from hinomi.words import Language, Words

if TYPE_CHECKING:
    from dashboards.console.rulebook import Rulebook  # the console stands on the reports


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words; `warn` for what the reader must not overlook."""

    text: str
    kind: Literal["text", "warn", "small"] = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `figures`: numbers of the columns that hold numbers (set to the right)."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: tuple[int, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as SVG text, with words that say the same for whoever cannot see it."""

    svg: str
    caption: str


Block = Paragraph | Table | Chart


@dataclass(frozen=True, slots=True)
class Part:
    """A section: its title and blocks, in order."""

    title: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a figure came from: what was asked of which store, over which time."""

    figure: str
    asked: str
    start: datetime | None
    end: datetime | None

    def part_of(self, whose: str) -> "Origin":
        """The same of one organisation: asked without this condition the stores give the whole tower's figure."""
        if not self.asked.startswith(("events.", "records ")):
            return self
        key = FIELD if self.asked.startswith("events.") else "organization"
        return replace(self, asked=f"{key}: {quoted(whose)} | {self.asked}")


@dataclass(frozen=True, slots=True)
class Document:
    """A report, ready to be set. `start` included, `end` excluded; `facts`: kept with the report's record
    so that the next one can say what changed; subject: what it is about where there are several a day; whose: the organisation
    whose events and incidents alone are counted, empty for the whole tower's."""

    name: str
    title: Words
    organization: str
    language: Language
    start: datetime
    end: datetime
    created: datetime
    summary: list[str]
    parts: list[Part]
    origins: list[Origin]
    facts: dict[str, int] = field(default_factory=dict)
    subject: str = ""
    whose: str = ""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a report may read. organization: who runs the tower; organizations: names of those whom it watches; subject: which
    incident or department, for a report of one; rulebook: the rules in force; whose: the organisation of which alone `events`
    and `records` hold anything, empty for the whole tower's; periods: for how long the tower is to keep which events."""

    events: Events
    records: Records
    clock: Clock
    organization: str = ""
    subject: str = ""
    rulebook: "Rulebook | None" = None
    organizations: Mapping[str, Words] = field(default_factory=dict)
    whose: str = ""
    periods: Sequence[Period] = tuple(DEFAULTS)

    def part_of(self, whose: str) -> "Ingredients":
        """What a report on one organisation may read: nothing of any other's, nor of nobody's. Raises InputError for one that
        there is not."""
        if whose not in self.organizations:
            known = ", ".join(sorted(self.organizations))
            raise InputError(
                f"「{whose}」という組織は organizations にありません(あるもの: {known or 'なし'})。",
                f'"{whose}" is not one of the organizations; there are: {known or "none"}',
            )
        events, records = EventsApart(self.events, {whose}), RecordsApart(self.records, frozenset({whose}))
        return replace(self, events=events, records=records, whose=whose)

    def name_of(self, whose: str, language: Language) -> str:
        """Who heads a report on what is this organisation's: that organisation itself, not the centre that watches it; by its
        id where the configuration no longer names it."""
        if not whose:
            return self.organization
        named = self.organizations.get(whose)
        return named.of(language) if named else whose


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of report. `make(ingredients, start, language)`: start is a moment within the period; apart: there can be one of an
    organisation alone, then without what is the whole tower's."""

    name: str
    title: Words
    make: Callable[[Ingredients, datetime, Language], Document]
    apart: bool = False

    def document(self, of: Ingredients, start: datetime, language: Language) -> Document:
        """The report, headed with whose it is. Raises InputError where there is none of one organisation alone."""
        if of.whose and not self.apart:
            raise InputError(
                f"「{self.title.ja}」は塔全体のもので、組織ごとには作れません。",
                f'"{self.title.en}" is the whole tower\'s; there is none of one organisation',
            )
        made = self.make(of, start, language)
        if not of.whose:
            return made
        said = [*made.summary, Texts(language)("reports.of_one")]
        return replace(
            made,
            whose=of.whose,
            organization=of.name_of(of.whose, language),
            summary=said,
            origins=[one.part_of(of.whose) for one in made.origins],
        )
