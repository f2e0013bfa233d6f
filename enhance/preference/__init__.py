"""Settings found by asking a person "left or right?": the optimum moves with every choice."""

from enhance.preference.session import Choice, Pair, Session, Version, prefer

__all__ = ["Choice", "Pair", "Session", "Version", "prefer"]
