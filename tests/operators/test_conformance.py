"""Every built-in operator passes the public suite, as does a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from enhance.operators import registry
from enhance.operators.base import Operator, Parameter
from enhance.operators.chain import Chain
from enhance.operators.laplacian import Laplacian
from enhance.operators.nlm import NonLocalMeans
from enhance.operators.registry import get, list_operators
from enhance.operators.turbo import Turbo
from enhance.testing import OperatorSuite

# others may be installed, or registered by whatever ran before
BUILT_IN = [name for name in list_operators() if type(get(name)).__module__.startswith("enhance.")]
SMALL = {
    "bilateral": (3, 4),
    "dehaze": (4, 4),
    "guided_detail": (4, 4),
    "local_contrast": (5, 6),
    "nlm": (3, 3),
    "unsharp": (4, 4),
}
"""Height and width on which gradients are checked numerically, where the usual ones take long."""


class Near(NonLocalMeans):
    """Non-local means that do not search as far, so that the suite takes seconds."""

    parameters_spec: Mapping[str, Parameter] = {
        **NonLocalMeans.parameters_spec,
        "search": replace(NonLocalMeans.parameters_spec["search"], high=3, default=2),
    }


class TestBuiltIn(OperatorSuite):
    @pytest.fixture(autouse=True, params=BUILT_IN)
    def _choose(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param
        self.small = SMALL.get(self.name, OperatorSuite.small)

    def make(self) -> Operator[Any]:
        return Near() if self.name == "nlm" else get(self.name)


class TestChain(OperatorSuite):
    small = (3, 5)

    def make(self) -> Chain:
        return Chain([Turbo(), Laplacian()])


def test_no_operator_is_left_out() -> None:
    assert set(BUILT_IN) == set(registry._BUILT_IN)
