"""An Elasticsearch of one's own for as long as something is measured."""

import signal
import sys
from collections.abc import Callable

from hinomi.errors import HinomiError
from ops.elastic import cluster


def on_a_node(work: Callable[[cluster.Cluster], None]) -> None:
    """The work on a node that is stopped at its end, also by SIGTERM; where none can be had, that is said and nothing is done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        there = cluster.start()
    except HinomiError as error:
        print(f"no Elasticsearch here: {error.en}")
        return
    try:
        work(there)
    finally:
        there.stop()
