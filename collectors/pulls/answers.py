"""What an answer holds, where it has the form that the service's documents tell; another form is no empty answer.

An answer without its records (a proxy's page, a form that was changed) would move the cursor over what was not read.
"""

from typing import TYPE_CHECKING, Any

from hinomi.errors import DependencyDown

if TYPE_CHECKING:
    import httpx


def body(answer: "httpx.Response") -> dict[str, Any]:
    """The object of an answer. Raises DependencyDown."""
    found = _json(answer)
    if not isinstance(found, dict):
        raise _other_form(answer, "JSON object")
    return found


def records(answer: "httpx.Response", key: str = "") -> list[dict[str, Any]]:
    """The records under `key`, or of an answer that is a list itself. Raises DependencyDown where there is no such list."""
    found = body(answer).get(key) if key else _json(answer)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _other_form(answer, key or "JSON array")
    return found


def _json(answer: "httpx.Response") -> Any:
    try:
        return answer.json()
    except ValueError:
        raise _other_form(answer, "JSON") from None


def _other_form(answer: "httpx.Response", what: str) -> DependencyDown:
    host, path = answer.request.url.host, answer.request.url.path
    return DependencyDown(
        f"{host} の応答({path})に {what} がありません。読んだ位置は進めず、もう一度取りに行きます。",
        f"the answer of {host} ({path}) has no {what}; the cursor stays and it is asked again",
    )
