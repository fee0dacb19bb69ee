"""Whether messages still go out: told to people on other channels when they do not, and to a service that rings when we
fall silent altogether (a dead man's switch)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from hinomi.clock import Clock
from hinomi.store import Records
from hinomi.words import Words
from responders.audit import Audit
from responders.notify.message import plain
from responders.notify.outbox import KIND, Outbox
from responders.notify.settings import NotifySettings

STATE = ("notify_health", "now")
_LATE = timedelta(minutes=5)
_TOLD_EVERY = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Pulse:
    """Looks once a minute."""

    records: Records
    clock: Clock
    settings: NotifySettings
    outbox: Outbox
    audit: Audit
    _looked: datetime | None = None
    _beaten: datetime | None = None

    def beat(self) -> None:
        """Look, tell, fetch the address outside: only while messages are not stuck."""
        now = self.clock.now()
        if self._looked is not None and now - self._looked < _MINUTE:
            return
        self._looked = now
        stuck = self._stuck(now)
        self._keep(stuck, now)
        if stuck:
            self._tell(stuck, now)
        else:
            self._ring(now)

    def _stuck(self, now: datetime) -> list[Words]:
        """What is wrong: messages that wait too long or were given up, by channel, and those that were not tried at all."""
        found: dict[str, int] = {}
        held_back = 0
        for record in self.records.find(KIND, {"state": ["planned", "failed"]}, limit=10_000):
            body = record.body
            failed = body["state"] == "failed"
            since = datetime.fromisoformat(body["created"])
            recent = now - since < timedelta(days=1)
            if recent and body["history"] and (failed or now - since > _LATE):
                channel = str(body["history"][-1].get("channel", "?"))
                found[channel] = found.get(channel, 0) + 1
            elif recent and not body["history"] and now - since > _LATE + self._together:
                held_back += 1
        stuck = [
            Words(f"{channel}: {n} 件が届いていません", f"{channel}: {n} did not arrive")
            for channel, n in sorted(found.items())
        ]
        return stuck + [_held_back(held_back)] * (held_back > 0)

    @property
    def _together(self) -> timedelta:
        """So long a message may wait for others in a storm."""
        return timedelta(minutes=self.settings.storm_minutes)

    def _keep(self, stuck: list[Words], now: datetime) -> None:
        """The state for the console and the doctor, written when it changes."""
        held = self.records.get(*STATE)
        problems = [one.ja for one in stuck]
        body = {"ok": not stuck, "problems": problems}
        if held is not None and {key: held.body[key] for key in body} == body:
            return
        self.audit.append(
            actor="hinomi", action="notify.health", target="notify", details={"problems": problems}
        )
        told = held.body.get("told") if held and stuck else None
        self.records.put(*STATE, {**body, "since": now.isoformat(), "told": told})

    def _tell(self, stuck: list[Words], now: datetime) -> None:
        held = self.records.get(*STATE)
        if held is None or not _again(held.body, now):
            return
        base = self.settings.base_url
        message = plain(
            Words("通知そのものが届いていません", "Messages themselves do not arrive"),
            [
                Words(
                    f"まずすること: 画面の一覧を開き、呼ばれていないインシデントがないかを確かめてください: {base}",
                    f"First: open the console's list and look for incidents that nobody was called for: {base}",
                ),
                Words("次の通知先に送れていません。", "These channels do not take messages:"),
                *(Words(f"・{one.ja}", f"* {one.en}") for one in stuck),
                Words("直ったかは hinomi doctor で分かります。", "hinomi doctor tells whether it is mended."),
            ],
            outside=Words(
                "通知そのものが届いていません。画面を確かめてください",
                "Messages themselves do not arrive: look at the console",
            ),
            link=base,
            grade=3,
        )
        for person in self.settings.alarm:
            self.outbox.plan(person, message, key=f"pulse|{now.isoformat()}", incident_id="")
        self.records.put(*STATE, {**held.body, "told": now.isoformat()}, expect=held.version)

    def _ring(self, now: datetime) -> None:
        own = self.settings.heartbeat
        if own is None or (self._beaten and now - self._beaten < timedelta(minutes=own.minutes)):
            return
        self._beaten = now
        try:
            with httpx.Client(timeout=5.0, follow_redirects=False) as client:
                client.get(own.url.reveal()).raise_for_status()
        except httpx.HTTPError as error:  # its silence is what the service outside rings about
            details = {"reason": type(error).__name__}
            self.audit.append(actor="hinomi", action="notify.heartbeat_failed", target="", details=details)


def _held_back(number: int) -> Words:
    return Words(
        f"まだ送っていないもの: {number} 件(1時間の件数の上限か、通知先の混雑。notify の per_person_an_hour・an_hour)",
        f"not sent yet: {number} (the hour's limit, or channels that are busy: per_person_an_hour, an_hour of notify)",
    )


def _again(body: Mapping[str, Any], now: datetime) -> bool:
    told = body.get("told")
    return not told or now - datetime.fromisoformat(str(told)) >= _TOLD_EVERY
