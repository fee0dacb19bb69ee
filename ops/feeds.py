"""Feeds: files that are fetched again and again — a country table, a list of staff — and checked before they are used.

What is fetched replaces the file in one step and only when it can be read as what the configuration uses it for; the old
one stays in force otherwise, and the doctor says why. The worker takes changed files up by itself (`ops.watch`).
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from pydantic import Field

from collectors.enrich import EnrichSettings
from collectors.enrich.enricher import READERS
from hinomi.clock import Clock
from hinomi.config import Section
from hinomi.durable import sync
from hinomi.errors import ConfigError, DependencyDown, HinomiError, InputError, StoreError, Where
from hinomi.named import named
from hinomi.secret import Secret
from hinomi.store import Records
from ops.journal import log
from ops.shared import Copy, content

KIND = "feed"
_TIMEOUT = httpx.Timeout(30.0)
_AGAIN = timedelta(minutes=30)


class Feed(Section):
    """One file that is fetched. url: a secret reference, as it often holds a licence key; file: what it replaces.

    every_hours: how often; most_mib: a longer answer is refused.
    """

    url: Secret
    file: Path
    every_hours: float = Field(default=24, gt=0)
    most_mib: int = Field(default=256, ge=1)


def refresh(
    feeds: Mapping[str, Feed],
    enrich: EnrichSettings,
    records: Records,
    clock: Clock,
    *,
    data: Path | None = None,
) -> int:
    """Fetch what is due; how many files were replaced. What fails is kept in the records and tried again later. data: the
    data folder of a machine on a cluster, whose others get the files from the store."""
    replaced = 0
    for name, feed in feeds.items():
        held = records.get(KIND, name)
        body = dict(held.body) if held else {}
        if body and datetime.fromisoformat(body["due"]) > clock.now():
            continue
        try:
            known = str(body.get("etag", "")) if feed.file.exists() else ""
            changed, etag = _shared(name, feed, records, data, partial(_fetch, feed, known, enrich))
        except HinomiError as error:
            log.error("feed_failed", feed=name, reason=str(error))
            due = clock.now() + min(_AGAIN, timedelta(hours=feed.every_hours))
            records.put(KIND, name, {**body, "due": due.isoformat(), "ja": error.ja, "en": error.en})
            continue
        replaced += changed
        now = clock.now()
        due = now + timedelta(hours=feed.every_hours)
        said = {"due": due.isoformat(), "fetched": now.isoformat(), "etag": etag, "ja": "", "en": ""}
        records.put(KIND, name, said)
    return replaced


def _shared(
    name: str, feed: Feed, records: Records, data: Path | None, fetch: Callable[[], tuple[bool, str]]
) -> tuple[bool, str]:
    """Fetch, and share what is new. Where that fails the etag is not noted, so that the next time fetches and shares it anew. A
    damaged version is replaced by what is here: nobody but whoever fetches decides a feed."""
    if data is None:
        return fetch()
    copy, damaged = Copy.of(content.feed(name, feed.file), records, data), False
    try:
        copy.renew()
    except StoreError:
        damaged = copy.is_damaged()
        if not damaged:
            raise
    changed, etag = fetch()
    if damaged and feed.file.exists():
        log.warning("feed_shared_anew", feed=name, version=copy.mend("hinomi"))
    elif changed or (feed.file.exists() and not copy.is_shared()):
        copy.share("hinomi")
    return changed, etag


def _fetch(feed: Feed, etag: str, enrich: EnrichSettings) -> tuple[bool, str]:
    """(whether the file was replaced, the new etag). Raises DependencyDown, InputError, ConfigError."""
    temporary = feed.file.with_name(f".{feed.file.name}.{secrets.token_hex(4)}")
    try:
        with (
            named(feed.file, "書けません", "cannot be written"),
            httpx.Client(timeout=_TIMEOUT, follow_redirects=True, max_redirects=3) as client,
            client.stream(
                "GET", feed.url.reveal(), headers={"If-None-Match": etag} if etag else {}
            ) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return False, etag
            answer.raise_for_status()
            _keep(answer.iter_bytes(), temporary, feed)
            _check(feed, temporary, enrich)
            temporary.replace(feed.file)
            return True, answer.headers.get("etag", "")
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise DependencyDown(f"配布元が {code} を返しました。", f"the feed answered {code}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        kind = type(error).__name__  # the address may hold a key: not in the text
        raise DependencyDown(f"配布元に届きません({kind})。", f"the feed cannot be reached: {kind}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _keep(pieces: Iterator[bytes], path: Path, feed: Feed) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > feed.most_mib << 20:
                raise InputError(
                    f"{feed.most_mib} MiB を超えています。", f"longer than {feed.most_mib} MiB (most_mib)"
                )
            file.write(piece)
        sync(file)
    if not size:
        raise InputError("中身がありません。", "the answer is empty")


def _check(feed: Feed, path: Path, enrich: EnrichSettings) -> None:
    """Read it as what the configuration uses it for. Raises ConfigError, without the temporary file's name."""
    for name, read in READERS.items():
        used = getattr(enrich, name)
        if used is not None and used.absolute() == feed.file.absolute():
            try:
                read(path)
            except ConfigError as error:
                line = error.where.line if error.where else None
                place = Where(feed.file, line)
                raise ConfigError(
                    f"届いたものを使えません。{error.ja}",
                    f"what came cannot be used: {error.en}",
                    where=place,
                ) from error
