"""A vendor's web API as connectors use it: what fails is either tried again or for a person, and says no secret."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hinomi import pauses, trust
from hinomi.errors import DependencyDown, HinomiError, Refused

_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class WebApi:
    """One signed-in client. what: the product's name in errors."""

    what: str
    client: httpx.Client

    def call(self, method: str, path: str, *, missing_ok: bool = False, **more: Any) -> dict[str, Any]:
        """The answer's JSON object, {} for none. Raises DependencyDown (try again) or Refused."""
        answer = self.send(method, path, missing_ok=missing_ok, **more)
        if not answer.content or (missing_ok and answer.status_code == 404):
            return {}
        try:
            found = answer.json()
        except ValueError:
            raise DependencyDown(
                f"{self.what}の応答を読めません。", f"{self.what} answered no JSON"
            ) from None
        return found if isinstance(found, dict) else {"value": found}

    def send(self, method: str, path: str, *, missing_ok: bool = False, **more: Any) -> httpx.Response:
        """The answer itself."""
        answer = self.client.request(method, path, **more)
        code = answer.status_code
        if code == 429 or code >= 500:
            after = pauses.asked(answer.headers.get("retry-after"))
            raise DependencyDown(
                f"{self.what}が {code} を返しました。", f"{self.what} answered {code}", after=after
            )
        if code >= 400 and not (missing_ok and code == 404):
            raise Refused(f"{self.what}が操作を断りました({code})。", f"{self.what} refused: {code}")
        return answer


@contextmanager
def opened(
    what: str, url: str, ca: Path | None, headers: Mapping[str, str] | None = None
) -> Iterator[WebApi]:
    """A client for one errand. Follows no redirection: it would carry the token elsewhere. An answer of another form than the
    vendor documents is one that did not come: its errand is tried again, and no other errand is lost to it."""
    try:
        with httpx.Client(
            base_url=url,
            timeout=_TIMEOUT,
            verify=trust.context(ca),
            headers=dict(headers or {}),
            follow_redirects=False,
        ) as client:
            yield WebApi(what, client)
    except httpx.HTTPError as error:
        name = type(error).__name__
        raise DependencyDown(f"{what}に届きません({name})。", f"{what} cannot be reached: {name}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        name = type(error).__name__
        raise DependencyDown(
            f"{what}の応答が、文書にある形ではありません({name})。",
            f"{what} answered in another form than is documented: {name}",
        ) from error


def trouble(session: Callable[[], AbstractContextManager[WebApi]], ask: Callable[[WebApi], object]) -> str:
    """What is wrong, in words, where something harmless is asked; empty where it is answered."""
    try:
        with session() as api:
            ask(api)
    except HinomiError as error:
        return error.ja
    return ""


def bearer(api: WebApi, url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> None:
    """Sign in with OAuth 2.0 (RFC 6749) and use the token from now on."""
    try:
        found = api.call("POST", url, data=dict(form), auth=auth)
    except Refused:
        raise Refused(
            f"{api.what}へのサインインが断られました。", f"sign-in to {api.what} was refused"
        ) from None
    api.client.headers["Authorization"] = f"Bearer {found.get('access_token', '')}"
