"""Operators: each turns a photo and a few numbers into a better photo, one a file.

`base` says what an operator is, `registry` finds them by name.
"""

from __future__ import annotations

from enhance.operators.base import Operator, Parameter, Settings
from enhance.operators.registry import get, list_operators, register

__all__ = ["Operator", "Parameter", "Settings", "get", "list_operators", "register"]
