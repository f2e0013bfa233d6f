"""Chains: names, order, batches, and one differentiable pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from enhance.errors import ParameterError
from enhance.operators.chain import Chain, leaves
from enhance.operators.contrast import Contrast
from enhance.operators.laplacian import Laplacian
from enhance.operators.registry import get
from enhance.operators.rendering import TILES
from enhance.operators.resolve import members, resolve_operator
from enhance.operators.saturation import Saturation
from enhance.operators.tone import Tone
from enhance.operators.turbo import Turbo
from enhance.testing.images import photo


def test_a_chain_is_its_members_one_after_the_other() -> None:
    image = photo(20, 24, batch=2)
    chain = Chain([Turbo(), Laplacian()])
    expected = Laplacian()(Turbo()(image, sigma_s=3.0), detail=2.0, shadow=0.2)
    seen = chain(image, sigma_s=3.0, detail=2.0, shadow=0.2)
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-6)
    swapped = Chain([Laplacian(), Turbo()])(image, sigma_s=3.0, detail=2.0, shadow=0.2)
    assert (swapped - expected).abs().max() > 1e-3


def test_names_are_plain_where_unique() -> None:
    chain = Chain([Laplacian(), Turbo(), Laplacian()])
    names = list(chain.parameters_spec)
    assert chain.name == "laplacian+turbo+laplacian"
    assert {"sigma_s", "laplacian.detail", "laplacian2.detail"} <= set(names)
    assert "detail" not in names
    image = photo(12, 12)
    twice = Laplacian()(Laplacian()(image, detail=1.0), detail=2.0)
    seen = chain(image, **{"laplacian.detail": 1.0, "laplacian2.detail": 2.0, "strength": 0.0})
    torch.testing.assert_close(seen, twice, rtol=0, atol=1e-6)


@pytest.mark.parametrize("order", [["tone", "laplacian"], ["laplacian", "tone"]])
def test_no_two_parameters_share_a_name(order: list[str]) -> None:
    chain = resolve_operator(order)
    members = [get(name) for name in order]
    assert len(chain.parameters_spec) == sum(len(member.parameters_spec) for member in members)
    image = photo(16, 16)
    grey = get("laplacian")(image, brightness=0.5, saturation=0.0)
    setting = {"laplacian.saturation": 0.0, "laplacian.brightness": 0.5}
    torch.testing.assert_close(chain(image, **setting), grey, rtol=0, atol=1e-6)
    inner = get("tone")(image, brightness=0.5, **{"laplacian.saturation": 0.0})
    setting = {"tone.laplacian.saturation": 0.0, "tone.brightness": 0.5}
    torch.testing.assert_close(chain(image, **setting), inner, rtol=0, atol=1e-6)


def test_a_number_is_not_taken_for_the_name_of_another_operator() -> None:
    class Second(Laplacian):
        name = "laplacian2"

    chain = Chain([Laplacian(), Laplacian(), Second()])
    assert len(chain.parameters_spec) == 3 * len(Laplacian.parameters_spec)
    assert {f"{name}.detail" for name in ("laplacian", "laplacian3", "laplacian2")} <= set(
        chain.parameters_spec
    )
    assert chain.names[2]["detail"] == "laplacian2.detail"


def test_names_that_no_prefix_tells_apart_are_refused() -> None:
    def named(name: str, *parameters: str) -> Laplacian:
        own = dict.fromkeys(parameters, Laplacian.parameters_spec["detail"])
        return type("Named", (Laplacian,), {"name": name, "parameters_spec": own})()  # type: ignore[no-any-return]

    with pytest.raises(ParameterError, match=r"different names, got a\.b\.c twice"):
        Chain([named("a", "b.c"), named("a.b", "c"), named("x", "b.c", "c")])


def test_an_analysis_without_settings_is_one_at_the_defaults() -> None:
    image = photo(16, 16)
    chain = Chain([Laplacian(), Turbo()])
    other = chain.complete({"sigma_n": 0.2, "grain": 2.0}, like=image)
    default = chain.complete({}, like=image)
    expected = chain.render(chain.analyse(image, default), other)
    assert torch.equal(chain.render(chain.analyse(image), other), expected)
    assert not torch.equal(chain(image, sigma_n=0.2, grain=2.0), expected)


def test_the_one_that_is_tuned_keeps_a_name_that_several_have() -> None:
    names = Tone().parameters_spec
    assert {"saturation", "laplacian.saturation"} <= set(names)
    assert names["saturation"].tuned
    assert not names["laplacian.saturation"].tuned


def test_a_chain_with_a_name_is_what_its_members_make() -> None:
    image = photo(16, 16)
    spelt_out = Chain([Contrast(), Saturation(), Laplacian()])
    setting = {"contrast": 0.3, "saturation": -0.2, "brightness": 0.2}
    assert torch.equal(Tone()(image, **setting), spelt_out(image, **setting))
    assert members(Tone())[0].name == "tone"
    assert [member.name for member in members(spelt_out)] == ["contrast", "saturation", "laplacian"]


def test_what_a_chain_is_follows_from_its_members() -> None:
    chain = Chain([Turbo(), Laplacian()])
    assert chain.views == "native"
    assert Chain([Laplacian()]).views == "whole"
    assert chain.differentiable
    assert chain.identity == {"strength": 0.0}
    extent = (600, 800)
    assert chain.halo(extent) == Turbo().halo(extent) + Laplacian().halo(extent)
    least = chain.complete({"sigma_s": 1.0, "dilation": 1.0})
    assert 0 < chain.halo(extent, least) < chain.halo(extent) / 4

    class Blunt(Laplacian):
        differentiable = False
        identity = None

    blunt = Chain([Turbo(), Blunt()])
    assert not blunt.differentiable
    assert blunt.identity is None


def test_later_analysis_sees_what_earlier_members_rendered() -> None:
    image = photo(16, 16)
    chain = Chain([Laplacian(), Turbo()])
    settings = chain.complete({"brightness": torch.tensor([0.0, 0.6])}, like=image)
    seen = chain.render(chain.analyse(image, settings), settings)
    for n, brightness in enumerate((0.0, 0.6)):
        alone = Turbo()(Laplacian()(image, brightness=brightness))
        torch.testing.assert_close(seen[n : n + 1], alone, rtol=0, atol=1e-5)


def test_calibration_asks_the_photo_each_member_sees() -> None:
    image = photo(32, 32)
    chain = Chain([Laplacian(), Turbo()])
    settings = chain.complete({"detail": 3.0}, like=image)
    answered = chain.calibrate(image, settings)
    enhanced = Laplacian()(image, detail=3.0)
    own = Turbo().calibrate(enhanced, Turbo().complete({}, like=image))
    torch.testing.assert_close(answered["sigma_n"], own["sigma_n"])
    assert set(answered) == set(settings)


def test_gradients_reach_every_member() -> None:
    image = photo(16, 16).requires_grad_()
    values = {
        name: torch.tensor(value, requires_grad=True)
        for name, value in {"sigma_s": 2.0, "detail": 1.0, "shadow": 0.1}.items()
    }
    rendered = Chain([Turbo(), Laplacian()])(image, **values)
    for gradient in torch.autograd.grad(rendered.square().sum(), [image, *values.values()]):
        assert gradient.abs().max() > 0


def test_a_chain_within_a_chain_counts_as_its_members() -> None:
    nested = resolve_operator(["exposure", ["contrast", ["saturation"]]])
    flat = resolve_operator(["exposure", "contrast", "saturation"])
    assert [member.name for member in members(nested)] == [member.name for member in members(flat)]
    assert list(nested.parameters_spec) == list(flat.parameters_spec)
    named = resolve_operator(["exposure", "tone"])
    assert [member.name for member in members(named)] == ["exposure", "tone"]
    names = [leaf.name for leaf, _ in leaves(named)]
    assert names == ["exposure", "contrast", "saturation", "laplacian"]
    assert {chained for _, own in leaves(named) for chained in own.values()} == set(
        named.parameters_spec
    )


def test_a_large_photo_is_asked_in_tiles() -> None:
    class Measured(Contrast):
        largest = 0

        def render(self, layers: Any, settings: Any) -> torch.Tensor:
            rendered = super().render(layers, settings)
            type(self).largest = max(type(self).largest, *rendered.shape[-2:])
            return rendered

    image = photo(40, 2000)
    chain = Chain([Measured(), Turbo()])
    settings = chain.complete({"contrast": 0.4}, like=image)
    seen = Turbo().calibrate(Contrast()(image, contrast=0.4), Turbo().complete({}, like=image))
    assert torch.equal(chain.calibrate(image, settings)["sigma_n"], seen["sigma_n"])
    assert 0 < Measured.largest <= TILES[0]


def test_an_empty_chain_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one operator"):
        Chain([])


def test_a_chain_renders_no_further_than_its_last_member_that_asks_the_photo() -> None:
    class Counted(Contrast):
        seen = 0

        def render(self, layers: Any, settings: Any) -> torch.Tensor:
            type(self).seen += 1
            return super().render(layers, settings)

    image = photo(16, 12)
    for operators, expected in (([Counted(), Laplacian()], 0), ([Counted(), Turbo()], 1)):
        Counted.seen = 0
        chain = Chain(operators)
        chain.calibrate(image, chain.complete({}, like=image))
        assert Counted.seen == expected
