"""Hinomi's own log on standard error: one JSON line an event (systemd's journal takes it from there), at a terminal one line to
read."""

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from hinomi.clock import JST, SystemClock
from hinomi.text import inert

_SAID = {
    "process_died": "プロセスが終わりました。起動し直します。 / a process ended and is started again",
    "process_killed": "プロセスが止まらないため、強制終了しました。 / a process did not stop and was killed",
    "listener is down; trying again": "受け口が開けません。再び試みます。 / a listener is down; trying again",
}
_GRAVE = {"warning": "注意/warning ", "error": "異常/error ", "critical": "異常/error "}


def at_terminal() -> bool:
    """Whether a person reads standard error as it is written."""
    try:
        return sys.stderr.isatty()
    except ValueError:  # closed
        return False


class _StandardError:
    """Wherever standard error goes at that moment. A line that cannot be written stops no work."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the other end or the file itself is closed
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def _inert(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Values from outside must not control a terminal that shows the log."""
    return {key: inert(value, 2000) if isinstance(value, str) else value for key, value in event.items()}


def _plain(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """One line for a person: when (JST), which process, what happened, and the values."""
    name = str(event.pop("event", ""))
    if name == "ready":  # the greeting says it
        raise structlog.DropEvent
    process, level, reason = (event.pop(key, "") for key in ("process", "level", "reason"))
    event.pop("timestamp", None)
    parts = [_SAID.get(name, name), reason, *(f"{key}={value}" for key, value in event.items())]
    at = f"{SystemClock().now().astimezone(JST):%H:%M:%S}"
    return inert(f"{at} {_GRAVE.get(level, '')}{process}: {' '.join(str(part) for part in parts if part)}")


def configure(process: str, *, level: int = logging.INFO) -> None:
    """Set up structlog for this process; every line names it. What standard error is decides once how lines look."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _inert,
            _plain if at_terminal() else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


log = structlog.get_logger()
