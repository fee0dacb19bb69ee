"""For every test: how long a generated input takes tells of the neighbours on the machine, not of the code."""

from hypothesis import HealthCheck, settings

settings.register_profile("neighbours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("neighbours")
