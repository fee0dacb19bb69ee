"""The console's pages with 10 million events and 100,000 alerts, 20 users at once."""

from benchmarks.console.run import main

__all__ = ["main"]
