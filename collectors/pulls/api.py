"""Asking a service: signed in, patient where it says "later", never carrying its token to another host."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from collectors.pulls.signin import SignIn
from hinomi import pauses
from hinomi.clock import Clock
from hinomi.errors import DependencyDown, Refused

if TYPE_CHECKING:
    import httpx

_TRIES = 6
_CONNECT = 15.0
_LONGEST_WAIT = 900.0
_SKEW = timedelta(seconds=120)
_RESETS = ("x-rate-limit-reset", "x-ratelimit-reset")  # Okta, GitHub: seconds since 1970
_BUSY = frozenset({"ratelimitexceeded", "userratelimitexceeded", "quotaexceeded"})


class NothingCame(Exception):
    """A question that the service may hold open was not answered in that time: there is nothing yet."""


@dataclass(slots=True)
class Api:
    """One service. sleep: waits so many seconds; waited: seconds spent so, by why (429, 503 …)."""

    client: "httpx.AsyncClient"
    signin: SignIn
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    waited: dict[str, float] = field(default_factory=dict)
    _ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The time by the service's own clock, as far as its answers told it: windows end by it, not by ours."""
        return self.clock.now() + self._ahead

    @property
    def skew(self) -> timedelta:
        """How far the service's clock is ahead of ours; zero where the difference does not matter."""
        return self._ahead

    async def get(self, target: str, params: Mapping[str, Any] | None = None) -> "httpx.Response":
        """Ask. target: a path, or a whole URL of the same host (a next page). Raises DependencyDown or Refused."""
        return await self.ask("GET", target, params=params)

    async def ask(
        self,
        method: str,
        target: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        accept: frozenset[int] = frozenset(),
        held: float = 0.0,
    ) -> "httpx.Response":
        """As `get`; body: sent as JSON; accept: status codes that are an answer to the caller, not an error; held: seconds
        for which the service may keep the question until it has something. Raises NothingCame after them."""
        import httpx

        url, anew, pause, why = self._own(target), False, 1.0, ""
        patience = httpx.Timeout(held, connect=_CONNECT) if held else httpx.USE_CLIENT_DEFAULT
        for _ in range(_TRIES):
            headers = await self.signin.headers(self.client, anew=anew)
            try:
                answer = await self.client.request(
                    method, url, params=params, json=body, headers=headers, timeout=patience
                )
            except httpx.HTTPError as error:
                if held and isinstance(error, httpx.ReadTimeout):
                    raise NothingCame from None
                why, wait = type(error).__name__, pause
            else:
                self._note_clock(answer)
                if answer.is_success or answer.status_code in accept:
                    return answer
                if answer.status_code == 401 and not anew:
                    anew = True
                    continue
                if not _is_busy(answer):
                    raise refused(answer)
                why, wait = str(answer.status_code), max(_asked_wait(answer, self.now()), pause)
            self.waited[why] = self.waited.get(why, 0.0) + wait
            await self.sleep(wait)
            pause = min(pause * 2, 60.0)
        raise DependencyDown(
            f"{self.client.base_url.host} が応じません({why})。",
            f"{self.client.base_url.host} does not answer ({why})",
        )

    def _own(self, target: str) -> "httpx.URL":
        """The whole URL. A page link to anywhere else is refused: it would carry the token there."""
        base = self.client.base_url
        url = base.join(target) if "://" in target else base.copy_with(raw_path=_joined(base, target))
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise Refused(
                f"次のページが別のサーバー({url.host})を指しているため、たどりません。",
                f"the next page lies on another server ({url.host}) and is not followed",
            )
        return url

    def _note_clock(self, answer: "httpx.Response") -> None:
        try:
            theirs = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError, OverflowError):
            return
        ahead = theirs.astimezone(UTC) - self.clock.now()
        self._ahead = ahead if abs(ahead) > _SKEW else timedelta()


def _joined(base: "httpx.URL", path: str) -> bytes:
    return base.raw_path.rstrip(b"/") + b"/" + path.lstrip("/").encode()


def _is_busy(answer: "httpx.Response") -> bool:
    """Whether to ask again later: 429, a server's own fault, or a 403 that says it is about the rate."""
    if answer.status_code == 429 or answer.status_code >= 500:
        return True
    if answer.status_code != 403:
        return False
    spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return spent or bool(_BUSY & {reason.lower() for reason in _google_reasons(answer)})


def _google_reasons(answer: "httpx.Response") -> list[str]:
    try:
        return [str(one.get("reason", "")) for one in answer.json()["error"]["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _asked_wait(answer: "httpx.Response", now: datetime) -> float:
    """Seconds that the service asks to wait, by Retry-After or until its quota is full again; 0 where it asks nothing. Never
    more than a quarter of an hour."""
    headers = answer.headers
    resets = [_seconds(headers[name]) for name in _RESETS if name in headers]
    until = next((reset - now.timestamp() for reset in resets if reset is not None), 0.0)
    return min(max(pauses.asked(headers.get("retry-after"), now) or until, 0.0), _LONGEST_WAIT)


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def refused(answer: "httpx.Response") -> Refused:
    """That the service does not allow what was asked."""
    host, path = answer.request.url.host, answer.request.url.path
    return Refused(
        f"{host} が要求を断りました({answer.status_code} {path})。付与した権限と設定を確かめてください。",
        f"{host} refused ({answer.status_code} {path}); check what was granted and the settings",
    )
