from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import enhance
from enhance.errors import ParameterError, UnknownNameError
from enhance.operators.base import Settings
from enhance.operators.denoising import BLEND_PARAMETERS, Denoiser
from enhance.operators.registry import get
from enhance.operators.resolve import resolve_operator
from enhance.tuning.gain import Gain
from enhance.tuning.guards import (
    Banding,
    Clipping,
    ColourShift,
    Evidence,
    GuardReport,
    Halo,
    Interval,
    Jitter,
    Need,
    NoiseGain,
    Witness,
    Worth,
    default_guards,
    resolve_guards,
)
from enhance.tuning.guards.score import SLIGHT
from enhance.tuning.prior import known_benefit
from enhance.tuning.space import Space
from enhance.tuning.verdict import in_tone_points


def evidence(before: Tensor, after: Tensor, gain: Gain | None = None, scorer=None) -> Evidence:
    return Evidence(
        before, after, gain or Gain(1, 0.9, 1.1), scorer or (lambda x: x.mean((1, 2, 3)))
    )


def test_clipping_counts_only_what_is_new() -> None:
    before = torch.full((1, 3, 10, 10), 0.5)
    before[..., :2, :] = 1
    after = before.clone()
    after[..., 5, :] = 0
    report = Clipping(limit=0.05).check(evidence(before, after))
    assert report.value == pytest.approx(0.1)
    assert not report.passed
    assert "10.0% of the pixels" in report.finding
    assert Clipping(limit=0.05).check(evidence(before, before)).value == 0


@pytest.mark.parametrize("factor", [0.5, 1, 3])
def test_noise_gain_is_the_factor_of_the_noise(factor: float) -> None:
    noise = 0.03 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0.3, 0.7, 64).expand(2, 3, 64, 64)
    report = NoiseGain().check(evidence(ramp + noise, ramp + factor * noise))
    assert report.value == pytest.approx(factor, rel=0.02)
    assert report.passed == (factor <= 2)


def test_noise_gain_ignores_edges_and_lossless_flats() -> None:
    before = torch.full((1, 3, 32, 32), 0.2)
    before[..., 16:] = 0.5
    after = before.clone()
    after[..., 16:] = 0.9
    assert NoiseGain().check(evidence(before, after)).value == pytest.approx(1)


@pytest.mark.parametrize(("gain", "passed"), [((0.1, 0.05, 0.15), True), ((0.1, -0.1, 0.3), False)])
def test_interval(gain: tuple[float, float, float], passed: bool) -> None:
    image = torch.zeros(2, 3, 4, 4)
    report = Interval().check(evidence(image, image, Gain(*gain)))
    assert report.passed is passed
    assert ("within its own interval" in report.finding) is not passed


@pytest.mark.parametrize(("prior", "passed"), [(0.0, False), (0.1, False), (0.2, True)])
def test_what_was_known_before_counts_as_gain(prior: float, passed: bool) -> None:
    image = torch.zeros(2, 3, 4, 4)
    sure = replace(evidence(image, image, Gain(-0.05, -0.15, 0.05)), prior=prior)
    report = Interval().check(sure)
    assert report.passed is passed
    assert report.value == pytest.approx(prior - 0.05)
    assert ("noise that was read" in report.finding) is (prior > 0)


@pytest.mark.parametrize(
    ("operator", "fixed", "scorer", "known"),
    [
        ("turbo", {"sigma_n": 0.03}, "nima-technical", True),
        ("turbo", {"sigma_n": 0.003}, "nima-technical", False),
        ("turbo", {"sigma_n": 0.03}, "my-own", False),
        ("tone", {}, "nima-technical", False),
    ],
)
def test_noise_that_was_read_speaks_for_denoising(
    operator: str, fixed: dict[str, float], scorer: str, known: bool
) -> None:
    chosen = get(operator)
    assert (known_benefit(chosen, Space.of(chosen, fixed), scorer) > 0) is known


def test_jitter_measures_a_scorer_that_depends_on_the_pixel_grid() -> None:
    rows = (torch.arange(16) % 2).float()
    before = rows[:, None].expand(2, 3, 16, 16).contiguous()

    def grid_reader(images: Tensor) -> Tensor:
        return images[:, 0, 2, 2]

    report = Jitter().check(evidence(before, before, Gain(0.5, 0.4, 0.6), grid_reader))
    assert report.value == 0.5
    assert report.limit == pytest.approx(0.5**0.5)  # one of the two shifts changes it by 1
    assert not report.passed
    calm = Jitter().check(evidence(before, before, Gain(0.5, 0.4, 0.6)))
    assert calm.passed


def test_guards_by_name_object_and_default() -> None:
    assert [guard.name for guard in resolve_guards(None)] == [g.name for g in default_guards()]
    own = Clipping(limit=0.5)
    assert resolve_guards(["noise", own]) == [NoiseGain(), own]
    assert resolve_guards([]) == []
    with pytest.raises(UnknownNameError, match="did you mean 'clipping'"):
        resolve_guards(["cliping"])
    assert resolve_guards(own) == [own]
    for wrong in ([3], 3):
        with pytest.raises(ParameterError, match="must have a name and a check, got 3"):
            resolve_guards(wrong)  # type: ignore[arg-type]


def scene() -> Tensor:
    """A smooth sky over darker ground, in colour, with a hard edge between; 8-bit."""
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, 96), torch.linspace(0, 1, 96), indexing="ij"
    )
    sky = torch.stack([0.4 + 0.25 * columns, 0.5 + 0.2 * columns, 0.75 - 0.1 * rows])
    ground = torch.stack([0.3 + 0.02 * columns, 0.25 + 0.05 * rows, 0.15 + 0 * rows])
    picture = torch.where(rows + 0.3 * columns < 0.6, sky, ground)[None]
    return (picture.repeat(2, 1, 1, 1) * 255).round() / 255


def sharpened(image: Tensor, amount: float) -> Tensor:
    kernel = torch.ones(3, 1, 9, 9) / 81
    padded = torch.nn.functional.pad(image, (4,) * 4, mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, kernel, groups=3)
    return (image + amount * (image - blurred)).clamp(0, 1)


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.5])
def test_a_global_curve_makes_no_halo_and_sharpening_does(exponent: float) -> None:
    curve = Halo().check(evidence(scene(), scene() ** exponent))
    assert curve.value == pytest.approx(0, abs=0.02)
    assert curve.passed
    seams = Halo().check(evidence(scene(), sharpened(scene(), 1.5)))
    assert seams.value > 0.1
    assert not seams.passed


def test_halo_grows_with_sharpening_and_is_none_without_edges() -> None:
    values = [Halo().check(evidence(scene(), sharpened(scene(), a))).value for a in (0, 0.3, 1)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0, abs=1e-6)
    flat = torch.full((1, 3, 32, 32), 0.4)
    assert Halo().check(evidence(flat, flat + 0.1)).value == 0


@pytest.mark.parametrize("slope", [0.5, 2.0, 5.0])
def test_banding_is_the_slope_of_the_curve_in_smooth_gradients(slope: float) -> None:
    ramp = torch.linspace(0.4, 0.5, 64).expand(1, 3, 64, 64)
    report = Banding().check(evidence(ramp, 0.4 + slope * (ramp - 0.4)))
    assert report.value == pytest.approx(slope, rel=0.02)
    assert report.passed == (slope < 4.5)


def test_a_posterised_sky_has_bands() -> None:
    assert not Banding().check(evidence(scene(), (scene() * 12).round() / 12)).passed
    assert Banding().check(evidence(scene(), scene())).value == pytest.approx(1)


def test_a_cast_is_a_colour_shift_and_saturation_is_not() -> None:
    cast = scene() * torch.tensor([1.3, 1.0, 0.7])[:, None, None]
    assert not ColourShift().check(evidence(scene(), cast.clamp(0, 1))).passed
    grey = scene().mean(1, keepdim=True)
    vivid = grey + 1.3 * (scene() - grey)
    assert ColourShift().check(evidence(scene(), vivid)).passed
    assert ColourShift().check(evidence(scene(), scene())).value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("drop", [0.0, 0.1, 0.5])
def test_a_witness_minds_a_clear_drop(drop: float) -> None:
    before = torch.full((6, 3, 8, 8), 0.5)

    def witness(images: Tensor) -> Tensor:
        return 5 + images.mean((1, 2, 3))

    found = Witness().check(
        Evidence(before, before - drop, Gain(1, 0.9, 1.1), lambda x: x, witness)
    )
    assert found.passed == (drop <= 0.2)
    assert found.value == pytest.approx(drop, abs=1e-5)


def test_a_witness_that_is_unsure_or_absent_objects_to_nothing() -> None:
    image = torch.full((4, 3, 8, 8), 0.5)
    moods = iter([torch.tensor([5.0, 5, 5, 5]), torch.tensor([7.0, 3, 1, 7])])
    unsure = Evidence(image, image, Gain(1, 0.9, 1.1), lambda x: x, lambda _: next(moods))
    assert Witness().check(unsure).passed
    absent = Witness().check(evidence(image, image))
    assert absent.passed
    assert "no second scorer" in absent.finding


def test_what_is_known_of_the_untouched_views_is_found_out_once() -> None:
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    asked: list[int] = []

    def counting(images: Tensor) -> Tensor:
        asked.append(len(images))
        return images.mean((1, 2, 3))

    memory: dict[str, Tensor] = {}
    images, limits = [], []
    for after in (image, image * 0.9):
        seen = Evidence(image, after, Gain(1, 0.9, 1.1), counting, counting, memory=memory)
        limits.append(Jitter().check(seen).limit)
        Witness().check(seen)
        images.append(sum(asked))
        asked.clear()
    assert images == [2 + 2 + 2 + 2, 2]  # still, moved, before, after; then after alone
    known = replace(seen, baseline=counting(image).double(), memory={})
    assert limits == pytest.approx([Jitter().check(known).limit] * 2)


def test_whoever_judged_the_other_embedded_scorer_is_the_witness() -> None:
    from enhance.tuning.scoring import resolve_scorer

    laplacian, turbo = get("laplacian"), get("turbo")
    assert resolve_scorer(None, laplacian).witness.name == "nima-technical"  # type: ignore[union-attr]
    assert resolve_scorer(None, turbo).witness.name == "nima-aesthetic"  # type: ignore[union-attr]
    assert resolve_scorer(lambda x: x.mean((1, 2, 3)), turbo).witness is None


def test_a_darkened_and_flattened_photo_needs_more_than_the_photo() -> None:
    from skimage import data

    photo = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None].float() / 255
    flat = 0.1 + 0.35 * photo
    good, bad = (Need().check(evidence(image, 1 - image)) for image in (photo, flat))
    assert bad.value > good.value
    assert bad.passed
    strict = Need(least=bad.value + 1)
    assert not strict.check(evidence(flat, photo)).passed
    assert strict.check(evidence(flat, flat + 0.001)).passed  # a slight change is no harm
    surer = Need(least=bad.value + 1).check(evidence(flat, 1 - flat, Gain(2.5, 2, 3)))
    assert surer.passed  # what the scorer gains counts as well


def test_the_more_a_change_moves_the_more_it_must_gain() -> None:
    worth = Worth(least=0.4, rate=0.03)
    limits = [worth.limit_for(change) for change in (0.0, SLIGHT, SLIGHT + 0.01, 10.0, 20.0)]
    assert limits == sorted(limits)
    assert limits == pytest.approx([0.0, 0.03 * SLIGHT, 0.4, 0.4, 0.6])


def test_tone_is_asked_for_what_the_photo_needs_by_its_own_scorer_only() -> None:
    def asked(operator: str, scorer: str) -> bool:
        chosen = get(operator)
        return in_tone_points(chosen, Space.of(chosen), scorer)

    assert asked("tone", "nima-aesthetic")
    assert asked("contrast", "nima-aesthetic")
    assert not asked("tone", "my-own")
    assert not asked("turbo", "nima-aesthetic")


@pytest.mark.parametrize("name", ["need", "worth"])
def test_what_is_in_points_of_tone_abstains_elsewhere(name: str) -> None:
    image = torch.full((2, 3, 32, 32), 0.5)
    (guard,) = resolve_guards(name)  # a lone name is one guard
    poor = evidence(image, image * 0.8, Gain(-5, -5.1, -4.9))
    assert guard in default_guards()
    assert guard.check(poor).passed
    assert guard.check(poor).status == "abstained"
    assert not guard.check(replace(poor, tone=True)).passed
    assert not {"need": Need(), "worth": Worth()}[name].check(poor).passed  # given, it is asked


def test_an_empty_channel_hides_no_clipping_of_the_others() -> None:
    before = torch.full((1, 3, 10, 10), 0.5)
    before[:, 2] = 0
    after = before.clone()
    after[:, 0, :3] = 1
    assert Clipping().check(evidence(before, after)).value == pytest.approx(0.3)
    after = before.clone()
    after[:, 2, :4] = 1  # from black to white is lost at the other end
    assert Clipping().check(evidence(before, after)).value == pytest.approx(0.4)


def test_bars_of_one_colour_do_not_hide_noise() -> None:
    noise = 0.02 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    views = [0.5 + factor * noise for factor in (1, 4)]
    for view in views:
        view[..., :16, :] = 0
    assert NoiseGain().check(evidence(*views)).value == pytest.approx(4, rel=0.1)


def test_what_is_no_guard_is_refused_by_name(paint, grey, target) -> None:
    class Silent:
        name = "silent"

        def check(self, evidence: Evidence) -> None:
            return None

    with pytest.raises(ParameterError, match="got the class Clipping"):
        resolve_guards([Clipping])  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="guard silent must answer a GuardReport, got NoneT"):
        enhance.tune(grey, paint, target(0.9, 0.5), guards=[Silent()])  # type: ignore[list-item]


class Grain(Denoiser[Tensor]):
    """Adds noise, and has a parameter that is called as a denoiser's."""

    name = "grain"
    parameters_spec = BLEND_PARAMETERS
    noise_parameter = None

    def prepare(self, image: Tensor, settings: Settings) -> Tensor:
        return image

    def denoise(self, image: Tensor, prepared: Tensor, noise: Tensor, settings: Settings) -> Tensor:
        return image


def test_only_what_says_that_it_removes_noise_is_credited_with_it() -> None:
    told = {"sigma_n": 0.03}
    for operator, benefit in ((get("turbo"), 0.1), (get("nlm"), 0.1), (Grain(), 0.0)):
        assert known_benefit(operator, Space.of(operator, told), "nima-technical") == benefit
    chain = resolve_operator(["laplacian", "nlm"])
    assert known_benefit(chain, Space.of(chain, told), "nima-technical") == 0.1


def test_a_guard_of_ones_own_may_ask_for_the_gain(paint, grey, target) -> None:
    """What doubts the gain is not offered ever smaller steps, what measures harm is."""
    seen: list[float] = []

    class Never:
        name = "never"
        asks = "harm"

        def check(self, evidence: Evidence) -> GuardReport:
            seen.append(float((evidence.after - evidence.before).abs().mean()))
            return GuardReport(self.name, seen[-1], 0.0, False, "never enough")

    class Doubts(Never):
        asks = "gain"

    enhance.tune(grey, paint, target(0.9, 0.2), guards=[Never()])
    offered = len(seen)
    seen.clear()
    enhance.tune(grey, paint, target(0.9, 0.2), guards=[Doubts()])
    assert 0 < len(seen) < offered


def test_a_result_tells_which_guards_abstained(paint, grey, target) -> None:
    reports = {report.name: report for report in enhance.tune(grey, paint, target(0.6, 0.4)).guards}
    assert reports["witness"].status == reports["need"].status == "abstained"
    assert reports["need"].value is None
    assert reports["interval"].status in ("passed", "failed")
