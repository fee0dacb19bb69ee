"""Fetching lists: TAXII 2.1 collections page by page, MISP feeds by their manifest, single documents.

TAXII: OASIS TAXII 2.1, 5.4 (get objects), 3.4 (pagination: `more` and `next`), 3.5 (X-TAXII-Date-Added-Last).
MISP: the manifest names each event with its time; only events newer than the last fetch are read.
"""

from collections.abc import Iterator
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


@dataclass(slots=True)
class Fetched:
    """What came, and the mark to go on from the next time (TAXII: date added; MISP: event time)."""

    taken: Taken = field(default_factory=Taken)
    mark: str = ""

    def read(self, data: bytes, terms: Terms) -> None:
        """Take one document in."""
        more = read(data, terms)
        self.taken.taken += more.taken
        self.taken.refused.update(more.refused)


def fetch(feed: Feed, terms: Terms, mark: str = "", client: httpx.Client | None = None) -> Fetched:
    """Everything new of a feed since the mark. Raises InputError in words where it cannot be had."""
    own = client or httpx.Client(
        verify=context(feed.ca),
        timeout=60.0,
        follow_redirects=False,
        headers=_headers(feed),
        auth=_basic(feed),
    )
    try:
        with own:
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
        following = envelope.get("next")
        if envelope.get("more") is not True or not isinstance(following, str):
            break
        params["next"] = following
    return fetched


def _misp(feed: Feed, terms: Terms, mark: str, client: httpx.Client) -> Fetched:
    root = feed.url.rstrip("/")
    manifest = _json(_get(client, f"{root}/manifest.json"), root)
    since, newest = _number(mark), _number(mark)
    fetched = Fetched()
    for identity, time in _newer(manifest, since):
        fetched.read(_get(client, f"{root}/{quote(identity, safe='')}.json").content, terms)
        newest = max(newest, time)
    fetched.mark = str(newest) if newest else mark
    return fetched


def _newer(manifest: dict[str, Any], since: int) -> Iterator[tuple[str, int]]:
    times = {
        name: _number(entry.get("timestamp")) for name, entry in manifest.items() if isinstance(entry, dict)
    }
    fresh = sorted((time, name) for name, time in times.items() if time > since)
    yield from ((name, time) for time, name in fresh[-_EVENTS:])


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


_FETCHERS = {FeedKind.TAXII: _taxii, FeedKind.MISP: _misp, FeedKind.DOCUMENT: _document}
