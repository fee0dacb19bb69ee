"""Python's cyclic garbage collection, held off while millions of small values without cycles are made.

Each of its passes looks at every live container: half the time of loading 3,000 compiled rules went there, and tens of
thousands of live dictionaries of events hold no cycles either.
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def no_collection() -> Iterator[None]:
    """Cyclic collection off, and on again where it was on."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def stay() -> None:
    """What there is now stays to the end of the process: no pass looks at it again, nor does the last one, at the end."""
    gc.freeze()


def stay_while_running() -> None:
    """What there is now is looked at by no pass but the last one, at the end of the process.

    DuckDB tells on standard error of every object of its own that the last pass did not throw away.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)


def give_back() -> None:
    """Free memory to the system, after work that needed much of it once. Only glibc keeps it otherwise."""
    import ctypes  # not above: it takes long to import, and few processes ever need this

    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
