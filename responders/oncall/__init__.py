"""Who is on call, and who is asked next."""

from responders.oncall.rota import Rota
from responders.oncall.settings import OnCallSettings

__all__ = ["OnCallSettings", "Rota"]
