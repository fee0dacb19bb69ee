"""A write transaction on a SQLite file that several threads and processes share."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hinomi.errors import StoreError


@contextmanager
def transaction(
    db: sqlite3.Connection, lock: threading.RLock, busy: tuple[str, str]
) -> Iterator[sqlite3.Connection]:
    """Committed at the end, rolled back on any error. Raises StoreError in the words `busy` (ja, en) when others hold it."""
    with lock:
        try:
            db.execute("begin immediate")
        except sqlite3.OperationalError as error:
            raise StoreError(busy[0], f"{busy[1]}: {error}") from error
        try:
            yield db
        except BaseException:
            db.execute("rollback")
            raise
        db.execute("commit")
