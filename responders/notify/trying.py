"""A test message (試験): whether a person's channels work, seen before the first incident. Sent at once by whoever asks, not by the
outbox; what is masked elsewhere is masked here, it waits for the hour's limits as any other but uses up none of theirs, and
stands in the audit log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hinomi.clock import JST, Clock
from hinomi.errors import HinomiError, InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from hinomi.text import inert
from hinomi.words import Words
from responders.audit import Audit
from responders.notify import recent
from responders.notify.kinds import kinds
from responders.notify.message import Message, plain
from responders.notify.remedies import remedy
from responders.notify.settings import NotifySettings
from responders.notify.waiting import KIND
from responders.oncall.settings import Contact

_TAKEN = Words(
    "受け取られました。届いたかどうかは、本人に確かめてください。",
    "taken; ask the person whether it arrived",
)
_FULL = Words(
    "1時間に送れる通数に達したため、送りませんでした。", "not sent: the hour's limit of messages is reached"
)
_WAIT = Words(
    "1時間待つか、notify の per_person_an_hour・an_hour を見直してください。",
    "wait an hour, or look at per_person_an_hour and an_hour under notify",
)
_NO_CHANNEL = Words("notify.channels にこの名前がありません。", "notify.channels has no such name")
_NOTHING = Words("", "")
_NAME_IT = Words(
    "notify.channels に書くか、oncall.people の channels の綴りを直してください。",
    "write it under notify.channels, or mend its spelling in the channels of oncall.people",
)


@dataclass(frozen=True, slots=True)
class Tried:
    """How it went on one channel. remedy: what to do next, empty where it was taken."""

    channel: str
    taken: bool
    said: Words
    remedy: Words


@dataclass(frozen=True, slots=True)
class Trial:
    """Sends test messages as the configuration is now."""

    records: Records
    clock: Clock
    settings: NotifySettings
    people: Mapping[str, Contact]
    audit: Audit

    def send(self, person: str, only: str = "", *, actor: str) -> Iterator[Tried]:
        """One message on each of the person's channels, or on this one, in their order. Raises InputError for a person or a channel
        that the configuration does not have for them."""
        contact = self.people.get(person)
        if contact is None:
            known = ", ".join(self.people) or "—"
            raise InputError(
                f"oncall.people に「{person}」がいません。いる人: {known}",
                f'oncall.people has no "{person}"; there are: {known}',
            )
        if only and only not in contact.channels:
            known = ", ".join(contact.channels)
            raise InputError(
                f"「{person}」の通知先に「{only}」がありません。あるもの: {known}",
                f'"{person}" has no channel "{only}"; there are: {known}',
            )
        for name in [only] if only else contact.channels:
            tried = self._try(person, contact, name, actor)
            details = {"how": name, "taken": tried.taken, "said": tried.said.en}
            self.audit.append(actor=actor, action="notify.test", target=person, details=details)
            yield tried

    def _try(self, person: str, contact: Contact, name: str, actor: str) -> Tried:
        channel = self.settings.channels.get(name)
        if channel is None:
            return Tried(name, False, _NO_CHANNEL, _NAME_IT)
        record = self._record(person, name)
        if recent.full(self.settings, self._lately(), self.clock.now())(record):
            return Tried(name, False, _FULL, _WAIT)
        message = self._message(name, contact, actor).for_channel(inside=channel.inside)
        try:
            kinds()[channel.kind].send(channel, contact, message.labelled(self.settings.label), record.id)
        except HinomiError as error:
            said = Words(inert(error.ja), inert(error.en))
            return Tried(name, False, said, remedy(error, channel.kind, person, name))
        except Exception as error:  # its text may hold the address, which is a secret
            kind = type(error).__name__
            said = Words(f"渡せません({kind})。", f"could not be handed over ({kind})")
            return Tried(name, False, said, remedy(error, channel.kind, person, name))
        recent.note(self.records, record, self.clock.now())
        return Tried(name, True, _TAKEN, _NOTHING)

    def _lately(self) -> list[Record]:
        return recent.since(self.records, KIND, self.clock.now() - timedelta(hours=1))

    def _record(self, person: str, name: str) -> Record:
        """What the limits of test messages count: it stands for no message that people are called by, and holds up none."""
        now = self.clock.now()
        body: dict[str, Any] = {"person": person, "sent": now.isoformat(), "grade": 0, "stands_for": 0}
        return Record(KIND, digest("test message", person, name, now.isoformat()), 0, body, now)

    def _message(self, name: str, contact: Contact, actor: str) -> Message:
        at = f"{self.clock.now().astimezone(JST):%Y-%m-%d %H:%M}"
        subject = Words(
            "【試験】火の見の通知の試験です(対応は要りません)", "[TEST] Hinomi test message, nothing to do"
        )
        lines = [
            Words(
                "これは通知先を確かめるための試験です。事案は起きていません。",
                "This is a test of a channel. Nothing happened.",
            ),
            Words(
                f"宛先: {contact.name.ja}、通知先: {name}、{at}",
                f"To: {contact.name.en}, channel: {name}, {at} (Japan)",
            ),
            Words(
                f"届いたら、送った人({actor})に「届いた」と知らせてください。",
                f"When you see it, tell the sender ({actor}) that it arrived.",
            ),
        ]
        outside = Words(
            "【試験】火の見の通知の試験です。対応は要りません", "[TEST] Hinomi test message, nothing to do"
        )
        return plain(subject, lines, outside=outside)
