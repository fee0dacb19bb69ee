"""A write transaction on a SQLite file that several threads and processes share."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hinomi.errors import StoreError
from hinomi.store.embedded.unwritable import unwritable


@contextmanager
def transaction(
    db: sqlite3.Connection, lock: threading.RLock, busy: tuple[str, str]
) -> Iterator[sqlite3.Connection]:
    """Committed at the end, rolled back on any error, an interruption (Ctrl+C) right behind the beginning among them: left open
    it would keep everybody else from writing. Raises StoreError in the words `busy` (ja, en) when others hold it, and
    where the disk does not take it: a full one, mostly at the very end, as nothing is written before."""
    with lock:
        within, begun = db.in_transaction, False
        try:
            db.execute("begin immediate")
            begun = True
            yield db
            db.execute("commit")
        except BaseException as error:
            if db.in_transaction and not within:  # SQLite ends one by itself where the disk is full
                db.execute("rollback")
            if not isinstance(error, sqlite3.OperationalError):
                raise
            raise (unwritable(error) if begun else StoreError(busy[0], f"{busy[1]}: {error}")) from error
