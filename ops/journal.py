"""Hinomi's own log: one JSON line an event to standard error (systemd's journal takes it from there)."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from hinomi.text import inert


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


log = structlog.get_logger()
