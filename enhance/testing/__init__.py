"""What authors of operators run to learn whether theirs is right."""

from __future__ import annotations

from enhance.testing.operators import OperatorSuite

__all__ = ["OperatorSuite"]
