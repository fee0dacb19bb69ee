"""The web console: server-rendered, no build step, no address outside this machine."""

from dashboards.console.app import create_app

__all__ = ["create_app"]
