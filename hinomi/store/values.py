"""What a searcher wrote as a number or a time, read the same for every store."""

from datetime import datetime

from hinomi.clock import JST
from hinomi.errors import QueryError


def number(name: str, value: str) -> float:
    """A number to compare a field with. Raises QueryError."""
    try:
        return float(value)
    except ValueError:
        raise QueryError(
            f"{name} と比べる「{value}」は数ではありません。",
            f'"{value}" compared with {name} is not a number',
        ) from None


def time(name: str, value: str) -> datetime:
    """A moment to compare a field with; without a zone it is Japanese time. Raises QueryError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(
            f"{name} と比べる「{value}」は日時(例: 2026-11-20T03:14)ではありません。",
            f'"{value}" compared with {name} is not a time such as 2026-11-20T03:14',
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=JST)
