"""What every test shares: Hypothesis repeats the same examples everywhere and never judges by the machine's speed."""

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
