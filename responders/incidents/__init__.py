"""Alerts into incidents: grouping, grading, suppression."""

from responders.incidents.incidents import Incidents
from responders.incidents.settings import IncidentSettings

__all__ = ["IncidentSettings", "Incidents"]
