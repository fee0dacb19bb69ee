"""Hinomi's own log: one JSON line an event to standard error (systemd's journal takes it from there)."""

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from hinomi.text import inert


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


def configure(process: str, *, level: int = logging.INFO) -> None:
    """Set up structlog for this process; every line names it."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _inert,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


log = structlog.get_logger()
