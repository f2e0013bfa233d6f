"""Why a scorer says what it says: attributions, where they lie, and how to fool it.

Attributions use captum, an optional package: ``pip install enhance-tune[explain]``.
"""

from scorers.explain.adversary import Adversary, fool
from scorers.explain.attribution import METHODS, attribute
from scorers.explain.border import border_share, uniform_share
from scorers.explain.shown import laid_out, squares

__all__ = [
    "METHODS",
    "attribute",
    "squares",
    "laid_out",
    "border_share",
    "uniform_share",
    "fool",
    "Adversary",
]
