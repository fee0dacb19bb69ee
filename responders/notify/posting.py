"""Handing a message to a web service: what may be said of a failure never holds the address, which is a secret."""

from collections.abc import Mapping
from typing import Any

import httpx

from hinomi import pauses
from hinomi.errors import DependencyDown

_TIMEOUT = 15.0


def post(
    url: str,
    *,
    what: str,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
) -> httpx.Response:
    """The service's answer. Raises DependencyDown for none, and for one that is not 2xx. Follows no redirection."""
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, auth=basic) as client:
            answer = client.post(url, json=json, data=form, headers=dict(headers or {}))
    except httpx.HTTPError as error:
        raise DependencyDown(
            f"{what}に届きません({type(error).__name__})。",
            f"{what} cannot be reached: {type(error).__name__}",
        ) from None
    if not answer.is_success:
        raise DependencyDown(
            f"{what}が {answer.status_code} を返しました。",
            f"{what} answered {answer.status_code}",
            after=pauses.asked(answer.headers.get("retry-after")),
        )
    return answer
