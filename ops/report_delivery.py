"""Reports brought to those who need them: copied into a folder that others read, or mailed inside the city's network.

What is to be brought is a record and is tried until it worked, ever more slowly; who died in between brings it again: a
mail then has the same Message-ID. A file that is no longer as it was when the report was made is not brought.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from dashboards.reporting import catalogue, signing
from dashboards.reporting.publish import Published, write
from hinomi.clock import JST, Clock
from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.faults import readable
from hinomi.named import why
from hinomi.pauses import growing
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.notify.channels import smtp
from responders.notify.channels.smtp import Smtp
from responders.notify.message import Message, plain
from responders.oncall.settings import Contact
from responders.settings import ResponderSettings

KIND = "report_delivery"
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)
_MOST = 20 * 1024 * 1024
"""Bytes in one mail: relays refuse larger ones, most at 25 MB, a third of which is the encoding."""
Form = Literal["html", "pdf", "xlsx", "json", "signed"]


class Delivery(Section):
    """`reports.deliver:` one place. folder: copies are put there; mail: people of `respond.oncall.people`, over the first of
    their channels that is mail inside the city's network; reports: which (none: every report made by the clock); forms: html,
    pdf, xlsx, json, signed (none: all of them into a folder, pdf and signed by mail); organization: reports of this
    organisation alone (none: those of the whole tower)."""

    folder: Path | None = None
    mail: list[str] = Field(default_factory=list)
    reports: list[str] = Field(default_factory=list)
    forms: list[Form] = Field(default_factory=list)
    organization: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.folder is None) == (not self.mail):
            raise ValueError("folder か mail のどちらか一つを書いてください。|write either folder or mail")
        if strange := sorted(set(self.reports) - set(catalogue.kinds())):
            known = ", ".join(sorted(catalogue.kinds()))
            raise ValueError(
                f"報告書「{'、'.join(strange)}」はありません(あるもの: {known})。|no such report: {', '.join(strange)}; {known}"
            )
        return self

    @model_validator(mode="after")
    def _there_is_one_of_an_organization(self) -> Self:
        if never := [name for name in self.reports if self.organization and not catalogue.find(name).apart]:
            raise ValueError(
                f"報告書「{'、'.join(never)}」は塔全体のもので、組織「{self.organization}」のものは作られません。"
                f'|there is none of "{self.organization}" alone: {", ".join(never)} is the whole tower\'s'
            )
        return self

    def takes(self, report: str, whose: str) -> bool:
        """Whether this report goes there. whose: the organisation of which alone it tells."""
        return self.organization == whose and (not self.reports or report in self.reports)

    def wanted(self, made: Sequence[Published]) -> list[Published]:
        """Those of the files that go there."""
        forms = self.forms or (["pdf", "signed"] if self.mail else [])
        return [one for one in made if not forms or _form(one.path) in forms]


class Parcel(BaseModel):
    """What is brought where: files with their hashes (the path that they were written to → SHA-256). organization: whose report
    it is, empty for the whole tower's."""

    report: str
    organization: str = ""
    folder: str = ""
    person: str = ""
    files: dict[str, str]
    state: Literal["waiting", "brought"] = "waiting"
    tries: int = 0
    due: datetime
    planned: datetime
    reason_ja: str = ""
    reason_en: str = ""


def mailbox(person: str, responding: ResponderSettings) -> tuple[Contact, Smtp]:
    """Who that is, and the relay. Raises Refused: not among the people, no address, or no mail inside."""
    contact = responding.oncall.people.get(person)
    found = [responding.notify.channels[one] for one in contact.channels] if contact else []
    inside = [one for one in found if isinstance(one, Smtp) and one.inside]
    if contact is None or not contact.mail or not inside:
        raise Refused(
            f"「{person}」にはメールを送れません(respond.oncall.people に mail と、inside: true の smtp の通知先が要ります)。",
            f'"{person}" cannot be mailed: it needs a mail address and an smtp channel with inside: true under respond',
        )
    return contact, inside[0]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """One process brings: the one that runs the timetable."""

    records: Records
    clock: Clock
    places: Sequence[Delivery]
    responding: ResponderSettings
    organizations: Mapping[str, Words] = field(default_factory=dict)

    def plan(self, report: str, made: Sequence[Published], whose: str = "") -> int:
        """Note down where the files of a report go; how many places are new. The same files go to a place once."""
        return sum(
            self._noted(report, whose, place.wanted(made), **to)
            for place in self.places
            if place.takes(report, whose)
            for to in _whither(place)
        )

    def _noted(
        self, report: str, whose: str, files: Sequence[Published], *, folder: str = "", person: str = ""
    ) -> bool:
        now = self.clock.now()
        named = {str(one.path.resolve()): one.sha256 for one in files}
        parcel = Parcel(
            report=report,
            organization=whose,
            folder=folder,
            person=person,
            files=named,
            due=now,
            planned=now,
        )
        whole = "|".join([folder, person, *(f"{name}={digest}" for name, digest in sorted(named.items()))])
        identity = f"{report}-{hashlib.sha256(whole.encode()).hexdigest()[:24]}"
        if not named or self.records.get(KIND, identity) is not None:
            return False
        self.records.put(KIND, identity, parcel.model_dump(mode="json"))
        return True

    def bring(self) -> int:
        """Bring what is due; how many were brought."""
        now, brought = self.clock.now(), 0
        for held, parcel in readable(self.records.find(KIND, {"state": "waiting"}), _parcel):
            if parcel.due > now:
                continue
            try:
                self._brought(held.id, parcel)
            except (HinomiError, OSError) as error:
                self._later(held, parcel, error)
            else:
                self._done(held, parcel)
                brought += 1
        return brought

    def _brought(self, identity: str, parcel: Parcel) -> None:
        whose = self._whose(parcel)
        files = {Path(name).name: _unchanged(Path(name), digest) for name, digest in parcel.files.items()}
        if parcel.folder:
            for name, content in files.items():
                write(Path(parcel.folder) / name, content)
            return
        contact, relay = mailbox(parcel.person, self.responding)
        if sum(map(len, files.values())) > _MOST:
            raise Refused(
                "20 MiB を超えるのでメールにできません。folder で届けてください。",
                "more than 20 MiB is too much for a mail; use folder",
            )
        letter = _letter(parcel, self.responding.notify.label, whose)
        smtp.send(relay, contact, letter, identity, files)

    def _whose(self, parcel: Parcel) -> Words | None:
        """The organisation of which alone it tells; None: the whole tower's. Raises Refused for one that is not in the configuration any
        more: by its title the report would be taken for the tower's."""
        if not parcel.organization:
            return None
        if (name := self.organizations.get(parcel.organization)) is None:
            raise Refused(
                f"組織「{parcel.organization}」は設定(organizations)にありません。その報告書は届けずに置いてあります。設定に戻すと届けます。",
                f'the organisation "{parcel.organization}" is not in the configuration (organizations): its report is kept and brought'
                " once the organisation is there again",
            )
        return name

    def _later(self, held: Record, parcel: Parcel, error: Exception) -> None:
        tries = parcel.tries + 1
        said = (error.ja, error.en) if isinstance(error, HinomiError) else (str(error), str(error))
        late = parcel.model_copy(
            update={
                "tries": tries,
                "due": self.clock.now() + growing(_FIRST, _LONGEST, tries),
                "reason_ja": said[0],
                "reason_en": said[1],
            }
        )
        self.records.put(KIND, held.id, late.model_dump(mode="json"), expect=held.version)

    def _done(self, held: Record, parcel: Parcel) -> None:
        details = {
            "to": parcel.folder or parcel.person,
            "organization": parcel.organization,
            "files": {Path(name).name: digest for name, digest in parcel.files.items()},
        }
        Audit(self.records, self.clock).append(
            actor="hinomi", action="report.deliver", target=parcel.report, details=details
        )
        done = parcel.model_copy(update={"state": "brought", "due": self.clock.now()})
        self.records.put(KIND, held.id, done.model_dump(mode="json"), expect=held.version)


def stuck(records: Records, now: datetime, longer: timedelta = timedelta(hours=1)) -> Iterator[Parcel]:
    """What has been waiting for longer than that."""
    for _, parcel in readable(records.find(KIND, {"state": "waiting"}), _parcel):
        if parcel.tries and now - parcel.planned > longer:
            yield parcel


def _parcel(record: Record) -> tuple[Record, Parcel]:
    return record, record.read_as(Parcel)


def _form(path: Path) -> str:
    return "signed" if path.name.endswith(signing.ENDING) else path.suffix.removeprefix(".")


def _whither(place: Delivery) -> list[dict[str, str]]:
    if place.folder is not None:
        return [{"folder": str(place.folder)}]
    return [{"person": person} for person in place.mail]


def _unchanged(path: Path, digest: str) -> bytes:
    """The file as the report was made. Raises Refused where it was changed since, DependencyDown where it is not to be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DependencyDown(
            f"{path} を読めません({why(error).ja})。", f"{path} cannot be read: {error.strerror}"
        ) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Refused(
            f"{path} は作ったときから変わっています。届けません。作り直してください(hinomi report)。",
            f"{path} changed since it was made and is not brought; make it anew (hinomi report)",
        )
    return content


def _letter(parcel: Parcel, label: str, whose: Words | None) -> Message:
    """What stands in the mail: which report, and how to check that it is as it was made. label: before the subject, as in
    every message; whose: the organisation of which alone it tells."""
    title = catalogue.find(parcel.report).title
    if whose is not None:
        title = Words(f"{title.ja}({whose.ja})", f"{title.en} ({whose.en})")
    day = f"{parcel.planned.astimezone(JST):%Y-%m-%d}"
    lines = [
        Words(f"{title.ja}({day} 作成)をお送りします。", f"Attached: {title.en}, made on {day}."),
        Words("", ""),
        Words(
            "添付のハッシュ(SHA-256)です。署名は、火の見で hinomi report-verify <….signed.json> として確かめられます。",
            "SHA-256 of what is attached (as above); check the signature with hinomi report-verify.",
        ),
        *(Words(f"{digest}  {Path(name).name}", "") for name, digest in parcel.files.items()),
    ]
    before = f"【{label}】" if label else ""
    subject = Words(f"{before}【火の見】{title.ja} {day}", f"{title.en} {day}")
    return plain(subject, lines, outside=Words("", ""))
