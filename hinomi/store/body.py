"""A record's body as the text that a store keeps it in."""

from typing import Any

import orjson

from hinomi.errors import StoreError


def read(kind: str, identity: str, text: str | bytes) -> dict[str, Any]:
    """The body. Raises StoreError naming the record whose text was damaged or changed by another hand."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise StoreError(
            f"記録 {kind}「{identity}」の内容が壊れています。写し(hinomi store snapshot)から戻してください。",
            f"the record {kind} {identity} is damaged; restore it from a snapshot",
        )
    return body
