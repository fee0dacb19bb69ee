"""Correlations: what one event cannot show. Windows slide in event time."""

from rules.correlation.correlator import Correlator

__all__ = ["Correlator"]
