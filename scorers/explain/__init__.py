"""Why a scorer says what it says: attributions, where they lie, and how to fool it.

Attributions use captum, an optional package: ``pip install enhance-tune[explain]``.
"""

from scorers.explain.adversary import Adversary, fool
from scorers.explain.attribution import METHODS, attribute
from scorers.explain.border import border_share, uniform_share

__all__ = ["METHODS", "attribute", "border_share", "uniform_share", "fool", "Adversary"]
