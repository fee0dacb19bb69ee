"""Fetching lists: TAXII 2.1 collections page by page, MISP feeds by their manifest, single documents.

TAXII: OASIS TAXII 2.1, 5.4 (get objects), 3.4 (pagination: `more` and `next`), 3.5 (X-TAXII-Date-Added-Last).
MISP: the manifest names each event with its time; only events newer than the last fetch are read. One that cannot be had is
passed over, named, and asked for again the next time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from collectors.indicators.reading import Taken, Terms, read
from collectors.indicators.settings import Feed, FeedKind
from hinomi.errors import InputError
from hinomi.trust import context

_TAXII = "application/taxii+json;version=2.1"
_PAGES, _EVENTS, _BYTES = 10_000, 20_000, 256 << 20
_ENOUGH = 5
"""Events in a row that cannot be had, after which the server is not asked for more until the next time."""


@dataclass(slots=True)
class Fetched:
    """What came, and the mark to go on from the next time (TAXII: date added; MISP: event time).

    missing: MISP events that could not be had, with their times; problems: why, in words.
    """

    taken: Taken = field(default_factory=Taken)
    mark: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def read(self, data: bytes, terms: Terms) -> None:
        """Take one document in."""
        self.taken.also(read(data, terms))


def fetch(
    feed: Feed,
    terms: Terms,
    mark: str = "",
    client: httpx.Client | None = None,
    missing: Mapping[str, int] | None = None,
) -> Fetched:
    """Everything new of a feed since the mark, and what was `missing` then. Raises InputError in words where nothing can be
    had."""
    own = client or httpx.Client(
        verify=context(feed.ca),
        timeout=60.0,
        follow_redirects=False,
        headers=_headers(feed),
        auth=_basic(feed),
    )
    try:
        with own:
            if feed.kind is FeedKind.MISP:
                return _misp(feed, terms, mark, own, missing or {})
            return _FETCHERS[feed.kind](feed, terms, mark, own)
    except httpx.HTTPError as error:
        raise InputError(
            f"{feed.url}: 指標の一覧を取得できません({type(error).__name__})。",
            f"{feed.url}: the list of indicators cannot be had: {type(error).__name__}",
        ) from error


def _headers(feed: Feed) -> dict[str, str]:
    if feed.token is None or feed.user:
        return {}
    return {"Authorization": f"Bearer {feed.token.reveal()}"}


def _basic(feed: Feed) -> httpx.BasicAuth | None:
    return httpx.BasicAuth(feed.user, feed.token.reveal()) if feed.user and feed.token else None


def _get(
    client: httpx.Client, url: str, params: dict[str, str] | None = None, accept: str = "*/*"
) -> httpx.Response:
    with client.stream("GET", url, params=params, headers={"Accept": accept}) as answer:
        if answer.status_code != 200:
            raise InputError(
                f"{url}: 応答が {answer.status_code} でした。", f"{url}: answered {answer.status_code}"
            )
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _BYTES:
                raise InputError(f"{url}: 大きすぎます。", f"{url}: larger than {_BYTES >> 20} MiB")
        return httpx.Response(200, headers={"X-TAXII-Date-Added-Last": _last(answer)}, content=bytes(body))


def _last(answer: httpx.Response) -> str:
    return str(answer.headers.get("X-TAXII-Date-Added-Last", ""))


def _taxii(feed: Feed, terms: Terms, mark: str, client: httpx.Client) -> Fetched:
    url = f"{feed.url.rstrip('/')}/collections/{quote(feed.collection, safe='')}/objects/"
    fetched, params = Fetched(mark=mark), {"match[type]": "indicator,identity"}
    if mark:
        params["added_after"] = mark
    for _ in range(_PAGES):
        answer = _get(client, url, params, _TAXII)
        fetched.read(answer.content or b"{}", terms)
        fetched.mark = _last(answer) or fetched.mark
        envelope = _json(answer, url)
        if envelope.get("more") is not True:
            return fetched
        following = envelope.get("next")
        if isinstance(following, str) and following != params.get("next"):
            params["next"] = following
        elif fetched.mark != params.get(
            "added_after", ""
        ):  # 3.4: without `next`, what was added after this page
            params = {**params, "added_after": fetched.mark}
            params.pop("next", None)
        else:
            break
    fetched.problems.append(
        f"{url}: 続きがあるのに、その位置が示されません。次回に続けます。"
        "(says that there is more, but not where; it is asked again the next time)"
    )
    return fetched


def _misp(feed: Feed, terms: Terms, mark: str, client: httpx.Client, missing: Mapping[str, int]) -> Fetched:
    root = feed.url.rstrip("/")
    manifest = _json(_get(client, f"{root}/manifest.json"), root)
    since, failed = _number(mark), 0
    fetched = Fetched(missing=dict(_again(manifest, missing)))
    left = [*_newer(manifest, since), *fetched.missing.items()]
    while left and failed < _ENOUGH:
        identity, time = left.pop(0)
        url = f"{root}/{quote(identity, safe='')}.json"
        since, failed = max(since, time), failed + 1
        try:
            fetched.taken.also(_event(_get(client, url), url, terms))
            fetched.missing.pop(identity, None)
            failed = 0
        except (InputError, httpx.HTTPError) as error:
            fetched.missing[identity] = time
            fetched.problems.append(str(error) if isinstance(error, InputError) else f"{url}: {error!r}")
    fetched.missing |= {name: time for name, time in left if time <= since}
    fetched.mark = str(since) if since else mark
    return fetched


def _event(answer: httpx.Response, url: str, terms: Terms) -> Taken:
    _json(answer, url)  # an error page is no list of values
    return read(answer.content, terms)


def _again(manifest: dict[str, Any], missing: Mapping[str, int]) -> list[tuple[str, int]]:
    """Those that are still listed."""
    return [(name, time) for name, time in missing.items() if name in manifest]


def _newer(manifest: dict[str, Any], since: int) -> list[tuple[str, int]]:
    """The oldest first, so that a fetch that ends early goes on there; those of one time together."""
    times = {
        name: _number(entry.get("timestamp")) for name, entry in manifest.items() if isinstance(entry, dict)
    }
    fresh = sorted((time, name) for name, time in times.items() if time > since)
    last = fresh[_EVENTS - 1][0] if len(fresh) > _EVENTS else None
    return [(name, time) for time, name in fresh if last is None or time <= last]


def _document(feed: Feed, terms: Terms, _: str, client: httpx.Client) -> Fetched:
    fetched = Fetched()
    fetched.read(_get(client, feed.url).content, terms)
    return fetched


def _json(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        held = answer.json() if answer.content else {}
    except ValueError as error:
        raise InputError(f"{url}: JSON ではありません。", f"{url}: this is no JSON") from error
    return held if isinstance(held, dict) else {}


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


_FETCHERS = {FeedKind.TAXII: _taxii, FeedKind.DOCUMENT: _document}
