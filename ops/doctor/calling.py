"""Can somebody be called, at every hour of the next two weeks, and do messages go out?"""

from collections.abc import Iterator
from datetime import datetime

from hinomi.clock import JST, SystemClock
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from responders.notify.pulse import STATE as PULSE
from responders.oncall import Rota
from responders.oncall.standins import Standins

_PART = Part("当番と通知", "on call")
_WRITE = Words(
    "respond.oncall と respond.notify を書いてください(例は docs/response.md)。",
    "write respond.oncall and respond.notify (docs/response.md has an example)",
)
_BODIES = Words("respond.contacts.bodies に書いてください。", "write respond.contacts.bodies")
_CHANNELS = Words("通知先の設定と経路を確かめてください。", "check the channels")
_LAYERS = Words("respond.oncall.layers を補ってください。", "fill respond.oncall.layers")


def calling(patient: Patient) -> Iterator[Check]:
    """People, rota, contact tree and messages in turn."""
    respond = patient.settings.respond
    if not respond.oncall.people or not respond.notify.channels:
        yield _PART.warn("当番か通知先が設定されていません。", "nobody or no channel is configured", _WRITE)
        return
    yield from _holes(Rota(respond.oncall, Standins(patient.records)))
    yield from _pulse(patient)
    yield from _contacts(patient)
    yield _messages(patient)


def _holes(rota: Rota) -> Iterator[Check]:
    """When, in the next two weeks, is nobody on call?"""
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    holes = rota.holes(now)
    if not holes:
        return
    start, end = (f"{time.astimezone(JST):%m/%d %H:%M}" for time in holes[0])
    yield Part("当番表", "rota").bad(
        f"{start} から {end} は当番がいません(2週間に {len(holes)} か所)。",
        f"nobody is on call from {start} to {end}; {len(holes)} such times in two weeks",
        _LAYERS,
    )


def _pulse(patient: Patient) -> Iterator[Check]:
    """What the respond process last said of its own messages."""
    held = patient.records.get(*PULSE)
    if held is None or held.body["ok"]:
        return
    since = datetime.fromisoformat(held.body["since"]).astimezone(JST)
    problems = "、".join(str(one) for one in held.body["problems"])
    yield Part("通知の働き", "messages").bad(
        f"{since:%m/%d %H:%M} から通知が届いていません: {problems}",
        f"messages have been stuck since {since:%m-%d %H:%M}",
        _CHANNELS,
    )


def _contacts(patient: Patient) -> Iterator[Check]:
    """Whom does the contact tree not name yet?"""
    if missing := patient.settings.respond.contacts.missing():
        yield Part("連絡先", "contacts").warn(
            f"連絡先の一覧に、まだない相手があります: {'、'.join(one.ja for one in missing)}",
            f"the contact tree has nobody for: {', '.join(one.en for one in missing)}",
            _BODIES,
        )


def _messages(patient: Patient) -> Check:
    """How many messages went out, and how many did not?"""
    count = {
        state: patient.records.count("notification", {"state": state})
        for state in ("failed", "sending", "sent")
    }
    if stuck := count["failed"] + count["sending"]:
        return _PART.bad(
            f"送れなかった通知が {stuck} 件あります。", f"{stuck} messages did not go out", _CHANNELS
        )
    return _PART.good(f"{count['sent']:,} 件を送りました。", f"{count['sent']:,} messages sent")
