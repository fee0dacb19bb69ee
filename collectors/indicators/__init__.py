"""Indicators: addresses, names, links, files and senders that somebody warns of, from STIX, TAXII, MISP and CSV."""

from collectors.indicators.held import Held
from collectors.indicators.indicator import Indicator, Kind
from collectors.indicators.matcher import Matcher

__all__ = ["Held", "Indicator", "Kind", "Matcher"]
