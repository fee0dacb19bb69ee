"""Files and folders that a person named: where the system refuses one, the answer names it and says why."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from hinomi.errors import InputError, Where


@contextmanager
def named(path: Path, ja: str, en: str) -> Iterator[None]:
    """Around work on what was named. Raises InputError in place of an OSError; ja, en: what cannot be done."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{ja}({error.strerror})。", f"{en}: {error.strerror}", where=Where(path)) from error


def reading(path: Path) -> AbstractContextManager[None]:
    """`named`, around opening or reading a file."""
    return named(path, "ファイルを読めません", "cannot be read")
