"""Every built-in operator passes the public suite."""

from __future__ import annotations

from enhance.operators.chain import Chain
from enhance.operators.laplacian import Laplacian
from enhance.operators.tone import Tone
from enhance.operators.turbo import Turbo
from enhance.testing import OperatorSuite


class TestLaplacian(OperatorSuite):
    def make(self) -> Laplacian:
        return Laplacian()


class TestTurbo(OperatorSuite):
    def make(self) -> Turbo:
        return Turbo()


class TestChain(OperatorSuite):
    small = (3, 5)

    def make(self) -> Chain:
        return Chain([Turbo(), Laplacian()])


class TestTone(OperatorSuite):
    def make(self) -> Tone:
        return Tone()
