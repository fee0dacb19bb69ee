"""What takes long to read for the first time, read before somebody asks."""

import logging
import threading
import time

from dashboards.console import compliance_page
from dashboards.console.docket import docket
from dashboards.console.loudness import loudness
from dashboards.console.visit import Console
from hinomi.collecting import give_back, stay_while_running
from hinomi.errors import HinomiError

log = logging.getLogger("hinomi.console")


def warm(console: Console) -> threading.Thread:
    """Read the rules, the incidents and the alerts, and judge the controls, in a thread of its own."""
    thread = threading.Thread(target=_read, args=(console,), daemon=True, name="warming")
    thread.start()
    return thread


def _read(console: Console) -> None:
    start = time.monotonic()
    try:
        docket(console.records).entries()
        _ = console.rulebook.rules
        loudness(console.records).since(console.clock.now())
        compliance_page.judged(console)
        give_back()
        stay_while_running()  # a pass over rules and incidents takes 0.4 s, in which no page is answered
    except HinomiError as error:
        log.warning("not warmed: %s", error)
    except Exception:  # the pages read for themselves, and tell what is wrong to whoever asks
        log.exception("warming_failed")
    log.info("warmed", extra={"seconds": round(time.monotonic() - start, 1)})
