"""The composition root: the only package that knows all stages and their order."""

from monitor.app.walk import Walk
from monitor.app.walked import Walked

__all__ = ["Walk", "Walked"]
