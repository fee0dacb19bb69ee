"""Transports: how messages reach the spool."""

from collectors.transports.health import Health, ListenerHealth
from collectors.transports.serve import serve

__all__ = ["Health", "ListenerHealth", "serve"]
