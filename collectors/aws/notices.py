"""Which objects a message of an S3 notification queue names.

Facts: AWS, "Amazon S3 event message structure" (Records, keys URL-encoded, s3:TestEvent), "Using EventBridge: S3 Event
Notifications" (detail-type "Object Created", keys as they are), "Amazon SNS message formats" (the notice is text in
Message), "Configuring Amazon SNS notifications for CloudTrail" (s3Bucket, s3ObjectKey as a list).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

_WRAPS = 3  # EventBridge may send to SNS, and SNS to the queue


class NoNotice(Exception):
    """The message names no object and is none of the messages that name none by their nature."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object in a bucket."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def places(body: str, wraps: int = _WRAPS) -> list[Place]:
    """The objects that were created; none for a test message or where objects were only removed. Raises NoNotice."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NoNotice("not_json") from error
    if not isinstance(told, dict):
        raise NoNotice("not_a_notice")
    inner = told.get("Message")
    if told.get("Type") == "Notification" and isinstance(inner, str) and wraps:
        return places(inner, wraps - 1)
    if told.get("Event") == "s3:TestEvent":
        return []
    found = list(_named(told))
    if not found and not _speaks_of_s3(told):
        raise NoNotice("not_a_notice")
    return found


def _named(told: Mapping[str, Any]) -> Iterator[Place]:
    for record in _list(told.get("Records")):
        if isinstance(record, dict) and str(_text(record, "eventName")).startswith("ObjectCreated"):
            s3 = record.get("s3") or {}
            yield from _place(_text(s3, "bucket", "name"), unquote_plus(_text(s3, "object", "key") or ""))
    if told.get("detail-type") == "Object Created":
        detail = told.get("detail") or {}
        yield from _place(_text(detail, "bucket", "name"), _text(detail, "object", "key"))
    for key in _list(told.get("s3ObjectKey")):
        yield from _place(_text(told, "s3Bucket"), key)


def _place(bucket: Any, key: Any) -> Iterator[Place]:
    if not (isinstance(bucket, str) and isinstance(key, str) and bucket and key):
        raise NoNotice("not_a_notice")
    yield Place(bucket, key)


def _speaks_of_s3(told: Mapping[str, Any]) -> bool:
    """Of what happened in S3, but of nothing created: S3's own event of a removal or a restored object."""
    records = [one for one in _list(told.get("Records")) if isinstance(one, dict)]
    by_s3 = bool(records) and all(one.get("eventSource") == "aws:s3" for one in records)
    return by_s3 or (told.get("source") == "aws.s3" and "detail-type" in told)


def _text(told: Any, *path: str) -> str | None:
    for key in path:
        told = told.get(key) if isinstance(told, dict) else None
    return told if isinstance(told, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
