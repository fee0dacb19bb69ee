"""The page that monitoring is blind: the store refuses, so nothing is detected and nobody would be called by the outbox.

It is told from what is known on this machine: the rota of the configuration, the stand-ins as last read, the channels. Each
person once, by the first channel that takes it; where none does, the next of the chain is called as well, and all are tried
again. When the store has answered for a minute those who were told are told that, too, and the audit log has it.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import structlog

from hinomi.clock import JST, Clock
from hinomi.durable import write_durably
from hinomi.errors import HinomiError
from hinomi.identity import digest
from hinomi.words import Words
from responders.audit import Audit
from responders.notify.kinds import kinds
from responders.notify.message import Message, plain
from responders.oncall import Rota
from responders.oncall.settings import Override
from responders.settings import ResponderSettings

FILE = "blind.json"
_WELL = timedelta(minutes=1)
_STANDBY = 3
"""So many times as long a process waits that did not lead: whoever leads tells first, and may be gone with the store."""
log = structlog.get_logger()


@dataclass(slots=True)
class Known:
    """What outlives a restart. since: when the store ceased to answer, ISO, empty while it does; reason: its words; leads: whether
    this process led when it last answered; told: who was told, by which channel; standins: as the rota had them."""

    since: str = ""
    reason: str = ""
    leads: bool = True
    told: dict[str, str] = field(default_factory=dict)
    standins: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Blind:
    """place: the file of `Known`; machine: what the message calls this one. `failed` or `answered` is to be called every half
    minute or so."""

    clock: Clock
    settings: ResponderSettings
    place: Path
    machine: str
    _known: Known = field(init=False)
    _well: datetime | None = None

    def __post_init__(self) -> None:
        self._known = _read(self.place)

    def failed(self, error: HinomiError) -> int:
        """The store refused just now; how many people were told of it in this call."""
        now, known = self.clock.now(), self._known
        self._well = None
        if not known.since:
            known.since = now.isoformat()
        known.reason = error.ja
        waited, after = now - datetime.fromisoformat(known.since), self._after
        told = 0
        if after and waited >= after:
            beyond = waited - after if not known.told else timedelta(0)
            for person in self._whom(beyond, now):
                told += person not in known.told and self._tell(person, self._page(error), "blind")
        self._keep()
        return told

    def answered(self, audit: Audit, standins: Sequence[Override], *, leads: bool) -> int:
        """It answered; how many people were told that it does again. Raises HinomiError where the audit log cannot be written."""
        now, known = self.clock.now(), self._known
        held = [_plain(one) for one in standins]
        changed = held != known.standins or leads != known.leads
        known.standins, known.leads = held, leads
        if not known.since:
            if changed:
                self._keep()
            return 0
        self._well = self._well or now
        if now - self._well < _WELL and known.told:
            return 0
        details = {"since": known.since, "told": dict(known.told), "reason": known.reason}
        if known.told:
            audit.append(actor="hinomi", action="notify.blind", target=self.machine, details=details)
        told = sum(self._tell(person, self._recovered(), "seeing") for person in list(known.told))
        log.info("store_answers_again", since=known.since, told=told)
        self._known, self._well = Known(leads=leads, standins=held), None
        self._keep()
        return told

    @property
    def _after(self) -> timedelta:
        own = timedelta(minutes=self.settings.notify.blind_minutes)
        return own if self._known.leads else own * _STANDBY

    def _whom(self, waited: timedelta, now: datetime) -> list[str]:
        held = [Override.model_validate(one) for one in self._known.standins]
        rota = Rota(self.settings.oncall, lambda: held)
        return list(dict.fromkeys([*rota.due(3, waited, now), *self.settings.notify.alarm]))

    def _tell(self, person: str, message: Message, kind: str) -> bool:
        contact = self.settings.oncall.people.get(person)
        key = digest("store", kind, self.machine, person, self._known.since)
        for name in contact.channels if contact is not None else ():
            channel = self.settings.notify.channels[name]
            own = message.for_channel(inside=channel.inside).labelled(self.settings.notify.label)
            try:
                kinds()[channel.kind].send(channel, contact, own, key)
            except Exception as error:  # its text may hold the address; the next channel may take it
                log.error("blind_not_told", to=person, how=name, error=type(error).__name__)
            else:
                log.warning("blind_told", to=person, how=name, what=kind)
                self._known.told[person] = name
                self._keep()
                return True
        return False

    def _page(self, error: HinomiError) -> Message:
        since = _hour(self._known.since, self.clock.now())
        subject = Words(
            f"【重大】監視が止まっています: 保管庫が応えません({since.ja}から)",
            f"[CRITICAL] Monitoring is blind: the store has not answered since {since.en}",
        )
        lines = [
            Words(
                "まずすること: 保管庫(Elasticsearch のクラスタ、またはディスク)の担当者に連絡し、hinomi doctor で状態を見てください。",
                "First: call whoever keeps the store (the Elasticsearch cluster, or the disk), and look at hinomi doctor.",
            ),
            Words(
                "戻るまで、検知も、警報での呼び出しも、画面での判断もできません。受信したログはスプールに残り、戻れば自動で追いつきます。",
                "Until it is back nothing is detected, nobody is called for alerts and nothing can be decided in the console."
                " Lines that come are spooled; all catches up by itself.",
            ),
            Words(f"見ている機械: {self.machine}", f"Seen by: {self.machine}"),
            Words(f"理由: {error.ja}", f"Reason: {error.en}"),
        ]
        outside = Words(
            "【重大】監視が止まっています。保管庫が応えません",
            "[CRITICAL] Monitoring is blind: the store does not answer",
        )
        return plain(subject, lines, outside=outside, grade=3)

    def _recovered(self) -> Message:
        now = self.clock.now()
        since = _hour(self._known.since, now)
        subject = Words("【復旧】保管庫が応えるようになりました", "[RECOVERED] The store answers again")
        lines = [
            Words(
                f"{since.ja}から {now.astimezone(JST):%H:%M} まで、監視が止まっていました。",
                f"Monitoring was blind from {since.en} to {now.astimezone(JST):%H:%M}.",
            ),
            Words(
                "その間のログは順に検知しています。遅れて届く警報に注意し、hinomi doctor でスプールの残りを確かめてください。",
                "Lines of that time are being matched: expect late alerts, and see hinomi doctor for what is still spooled.",
            ),
        ]
        return plain(subject, lines, outside=subject, grade=3)

    def _keep(self) -> None:
        """A full disk, too, may be why the store refuses: then it is known in memory alone."""
        with contextlib.suppress(OSError):
            write_durably(self.place, orjson.dumps(asdict(self._known)), mode=0o600)


def _read(place: Path) -> Known:
    try:
        return Known(**orjson.loads(place.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Known()


def _plain(one: Override) -> dict[str, str]:
    return {"start": one.start.isoformat(), "end": one.end.isoformat(), "person": one.person}


def _hour(since: str, now: datetime) -> Words:
    began, today = datetime.fromisoformat(since).astimezone(JST), now.astimezone(JST).date()
    text = f"{began:%H:%M}" if began.date() == today else f"{began:%m/%d %H:%M}"
    return Words(f"{text} ", text)
