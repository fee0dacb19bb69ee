"""For every test: how long a generated input takes tells of the neighbours on the machine, not of the code; whoever leaves
a socket open is told so, not the test during which the garbage collector happens to find it; and what was collected stays, so
that the collector does not look through some half a million objects (0.5 s) each time. Temporary folders lie in memory where there
is plenty: stores and spools wait for the disk at each write (2 ms), which no test can tell from memory.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hinomi.collecting import stay_while_running
from ops.elastic import cluster

settings.register_profile("neighbours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("neighbours")
if (place := cluster.roomy()) != Path("/tmp"):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))  # pytest's name of where its folders begin


def pytest_collection_finish() -> None:
    """Modules, their tables and the tests live to the end of the run."""
    stay_while_running()


def _open_sockets() -> set[str]:
    """The sockets that this process holds, by inode (none where there is no /proc)."""
    found = set()
    with suppress(FileNotFoundError):
        for one in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # the listing's own
                found.add(str(one.readlink()))
    return {one for one in found if one.startswith("socket:")}


@pytest.fixture(autouse=True)
def left_open() -> Iterator[None]:
    """A socket that nothing refers to any more is a ResourceWarning of this test, which fails it at its end."""
    before = _open_sockets()
    yield
    if _open_sockets() - before:
        gc.collect()
