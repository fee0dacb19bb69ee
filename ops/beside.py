"""What a process does in a thread beside its work, over a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hinomi.store import Records


@contextmanager
def beside(
    name: str, run: Callable[[threading.Event], None], records: Records, *, leave: float
) -> Iterator[None]:
    """While the block runs, `run` does, until the event that it is given is set. leave: seconds that a stop waits for it. Its
    connection is closed behind it; a thread that still waits for an answer keeps it until the process ends."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(leave)
        if not thread.is_alive():
            records.close()
