"""What callers may give to `tune`, and what they are told where they may not."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import Tensor

import enhance
import scorers
from enhance.operators.rendering import render_full
from enhance.presets import load_preset
from enhance.tuning.guards import Worth
from enhance.tuning.scoring import device_of


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"operator": "laplacain"}, enhance.UnknownNameError, "did you mean 'laplacian'"),
        ({"strategy": "gird"}, enhance.UnknownNameError, "did you mean 'grid'"),
        ({"operator": []}, enhance.ParameterError, r"list of them, got \[\]"),
        ({"scorer": 3}, enhance.ParameterError, "a callable, got 3"),
        ({"crops": 1}, enhance.ParameterError, "at least 2, for the gain's interval, got 1"),
        ({"guards": ["nois"]}, enhance.UnknownNameError, "did you mean 'noise'"),
        ({"fixed": {"detail": 9}}, enhance.ParameterError, r"\[-1, 5\], got 9"),
        (
            {"strategy": "grid", "storage": "sqlite://"},
            enhance.ParameterError,
            "bayesian and hybrid only, got 'grid'",
        ),
        (
            {"storage": "/nonexistent/a.log"},
            enhance.WriteError,
            "cannot write /nonexistent/a.log: no folder",
        ),
        ({"storage": 3}, enhance.ParameterError, "storage must be a URL or a path, got 3"),
        (
            {"storage": "sqlite:////nonexistent/a.db"},
            enhance.ParameterError,
            "storage 'sqlite:////nonexistent/a.db' cannot be opened",
        ),
        ({"device": "tpu9"}, enhance.ParameterError, "device must be .*, got 'tpu9'"),
        ({"device": "meta"}, enhance.ParameterError, "device must be .*, got 'meta'"),
        ({"fixed": {"detail": 10**400}}, enhance.ParameterError, "detail must be a number, got 10"),
        ({"bounds": {"detail": (0, 10**400)}}, enhance.ParameterError, "got .0, 10"),
        ({"fixed": 5}, enhance.ParameterError, "fixed must map names to numbers, got 5"),
        (
            {"fixed": {"detail": np.zeros((2, 2))}},
            enhance.ParameterError,
            r"one number, got array\(\[\[0., 0.\], \[0., 0.\]\]\)",
        ),
        (
            {"scorer": lambda x: 1e300 * x.double().mean((1, 2, 3))},
            enhance.ParameterError,
            r"within 1e\+30, got ",
        ),
        (
            {"scorer": lambda x: torch.complex(x, x).mean((1, 2, 3))},
            enhance.ParameterError,
            "real scores, got torch.complex64",
        ),
        ({"seed": -1}, enhance.ParameterError, r"seed must lie in \[0, 4294967295\], got -1"),
        ({"seed": 2**70}, enhance.ParameterError, "seed must lie in"),
        ({"seed": 1.5}, enhance.ParameterError, "seed must be a whole number, got 1.5"),
        ({"crops": 2.5}, enhance.ParameterError, "crops must be a whole number, got 2.5"),
        ({"start": "punch"}, enhance.UnknownNameError, "did you mean 'punchy'"),
        ({"start": 3}, enhance.ParameterError, "a preset's name or settings, got 3"),
        ({"start": {"detail": "much"}}, enhance.ParameterError, "detail must be a number"),
        ({"guards": "cliping"}, enhance.UnknownNameError, "did you mean 'clipping'"),
        ({"scorer": "nope"}, enhance.UnknownNameError, "unknown scorer 'nope'"),
        ({"scorer": "/nonexistent/a.safetensors"}, enhance.ReadError, "a.safetensors"),
    ],
)
def test_one_line_errors(coffee, tone_scorer, options: dict, error, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        enhance.tune(coffee, **{"operator": "laplacian", "scorer": tone_scorer, **options})
    assert "\n" not in str(caught.value)


def test_progress_bar_goes_to_stderr(paint, grey, target, capsys) -> None:
    enhance.tune(grey, paint, target(0.6, 0.6), progress=True)
    captured = capsys.readouterr()
    assert "gradient" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("seed", [np.int64(3), torch.tensor(3), 2**32 - 1])
def test_whatever_is_a_whole_number_is_a_seed(paint, grey, target, seed: object) -> None:
    result = enhance.tune(grey, paint, target(0.6, 0.5), "gradient", seed=seed)
    assert result.recipe.seed == int(seed)  # type: ignore[call-overload]
    assert json.loads(result.recipe.to_json())["seed"] == int(seed)  # type: ignore[call-overload]


def test_the_largest_seed_is_one_for_every_trial(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.6, 0.5), "bayesian", seed=2**32 - 1)
    assert result.verdict == "enhanced"


def test_a_name_to_start_from_is_that_of_a_preset(coffee, tone_scorer) -> None:
    named, loaded = (
        enhance.tune(coffee, None, tone_scorer, "instant", start=start, guards=[])
        for start in ("soft", load_preset("soft"))
    )
    assert named.recipe == loaded.recipe


class Faithful(torch.nn.Module):
    """A scorer that minds being moved."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("wanted", torch.tensor(0.6))
        self.moved: list[object] = []

    def to(self, *places: object, **options: object) -> Faithful:
        self.moved += places
        return super().to(*places, **options)  # type: ignore[call-overload, no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        return -(images.mean((1, 2, 3)) - self.wanted).abs()


def test_a_scorer_of_the_callers_is_moved_only_where_a_device_is_named(paint, grey) -> None:
    scorer = Faithful()
    enhance.tune(grey, paint, scorer, "grid")
    assert scorer.moved == []
    enhance.tune(grey, paint, scorer, "grid", device="cpu")
    assert scorer.moved == [torch.device("cpu")]


def test_work_is_done_where_the_scorer_is() -> None:
    scorer = Faithful()
    assert device_of(scorer) == torch.device("cpu")
    assert device_of(scorer.to("meta")) == torch.device("meta")
    assert device_of(lambda images: images.mean((1, 2, 3))) == torch.device("cpu")


@pytest.mark.parametrize("scorer", ["nope", "/nonexistent/a.safetensors", 3])
def test_whatever_is_wrong_with_a_scorer_is_caught_as_ours(grey, paint, scorer: object) -> None:
    with pytest.raises(enhance.EnhanceError):
        enhance.tune(grey, paint, scorer)


@pytest.mark.parametrize(
    "options",
    [{"fixed": {"red": 0.4}}, {"bounds": {"red": (0.3, 0.5)}}, {"fixed": {"red": 0.4, "green": 0}}],
)
def test_a_refused_setting_away_from_the_default_leaves_the_photo_as_it_is(
    paint, grey, target, options: dict
) -> None:
    """What is fixed is no part of the way back to the photo."""
    result = enhance.tune(grey, paint, target(1, 0.5), guards=[Worth(least=100)], **options)
    assert result.verdict == "untouched"
    assert result.settings == {"red": 0, "green": 0}
    assert torch.equal(result.image, grey)
    assert torch.equal(render_full(paint, grey, {}), grey)


def test_a_start_says_what_parameters_that_are_not_searched_keep(grey, paint, target) -> None:
    result = enhance.tune(grey, paint, target(0.6, 0.6), start={"red": 0.1, "blue": 0.2}, guards=[])
    assert result.settings["blue"] == 0.2
    fixed = enhance.tune(
        grey, paint, target(0.6, 0.6), start={"blue": 0.2}, fixed={"blue": 0.1}, guards=[]
    )
    assert fixed.settings["blue"] == 0.1


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_modes_do_not_matter(coffee, tone_scorer, mode) -> None:
    photo = coffee[0, :, ::8, ::8]
    expected = enhance.tune(photo, "laplacian", tone_scorer)
    with mode():
        found = enhance.tune(photo.clone(), "laplacian", tone_scorer)
    assert (found.strategy, found.settings) == (expected.strategy, expected.settings)
    assert found.strategy == "gradient"


@pytest.mark.parametrize(
    "image", [torch.zeros(3, 4, 4).to_sparse(), torch.zeros(3, 4, 4, device="meta")]
)
def test_tensors_without_pixels_are_refused(image: Tensor, paint, target) -> None:
    with pytest.raises(enhance.ImageError, match="a tensor must be dense and hold numbers"):
        enhance.tune(image, paint, target(0.6, 0.5))


def test_a_tensor_that_is_only_said_to_be_negated_is_one_like_others(paint, target) -> None:
    real, imaginary = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    image = torch.complex(real, -imaginary).conj().imag
    assert image.is_neg()
    result = enhance.tune(image, paint, target(0.6, 0.5), guards=[])
    again = enhance.tune(imaginary, paint, target(0.6, 0.5), guards=[])
    assert result.settings == again.settings


@pytest.mark.parametrize("path", [5, None])
def test_what_is_no_path_is_not_written(grey, paint, target, path: object) -> None:
    result = enhance.tune(grey, paint, target(0.9, 0.5))
    for save in (result.save, result.recipe.save):
        with pytest.raises(enhance.WriteError, match=f"cannot write {path}: it is no path"):
            save(path)  # type: ignore[arg-type]


def test_what_a_scorer_refuses_is_an_error_of_this_package() -> None:
    judge = scorers.load("nima-aesthetic")
    with pytest.raises(enhance.ParameterError, match="image must be"):
        enhance.tune(torch.rand(3, 32, 32), "contrast", lambda images: judge(images[0]))
