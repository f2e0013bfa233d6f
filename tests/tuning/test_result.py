"""What a result tells beside the photo: its plot, its study, and where the gain came from."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance


def test_plot_shows_each_parameter(coffee, tone_scorer, tmp_path: Path) -> None:
    result = enhance.tune(0.6 * coffee, "laplacian", tone_scorer)  # dark: there is a gain
    assert result.verdict == "enhanced"
    figure = result.plot()
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
    panels = {axes.get_xlabel(): axes for axes in figure.axes if axes.get_xlabel()}
    shares = panels.pop("share, points of the score")
    assert [bar.get_width() for bar in shares.patches] == pytest.approx(
        list(result.ablation().values())
    )
    assert list(panels) == ["detail", "shadow", "brightness"]
    for name, axes in panels.items():
        lines = {line.get_label(): line for line in axes.lines}
        chosen = lines["chosen"].get_xydata()[0]
        assert chosen == pytest.approx([result.settings[name], result.gain])
        # what is maximised is highest at the setting chosen, up to the search's tolerance
        left = lines["gain less further cost (maximised)"].get_ydata()
        assert max(left) <= result.gain + 0.02
        bottom, top = axes.get_ylim()
        assert bottom < 0 < chosen[1] < top


def test_plot_of_an_untouched_photo_marks_what_was_refused(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.5, 0.5))
    assert result.verdict == "untouched"
    panel = next(axes for axes in result.plot().axes if axes.get_xlabel() == "red")
    marked = next(line for line in panel.lines if line.get_label() == "refused")
    assert marked.get_xydata()[0][0] == result.candidate["red"]


def test_optuna_study_comes_with_the_result(paint, grey, target, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    first, again = (
        enhance.tune(grey, paint, target(0.6, 0.6), "hybrid", storage=storage) for _ in range(2)
    )
    assert len(first.study.trials) == len(again.study.trials)
    assert first.study.study_name == again.study.study_name
    assert first.history == again.history


def test_shares_of_the_gain_are_what_each_parameter_earned(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.7, 0.4), guards=[])
    shares = result.ablation()
    # 40 r^2 of the loss is red's and 40 g^2 green's, and neither depends on the other
    assert shares == {
        "red": pytest.approx(40 * 0.2**2, abs=0.01),
        "green": pytest.approx(40 * 0.1**2, abs=0.01),
    }
    assert sum(shares.values()) == pytest.approx(result.gain, abs=1e-6)


def test_a_gain_that_takes_two_is_shared_by_both(paint, grey) -> None:
    def product(images: Tensor) -> Tensor:
        red, green, _ = (images.mean((-1, -2)) - 0.5).unbind(1)
        return red * green

    shares = enhance.tune(grey, paint, product, "grid", guards=[]).ablation()
    assert shares["red"] == pytest.approx(0.125, abs=1e-3)
    assert shares["green"] == pytest.approx(0.125, abs=1e-3)


def test_history_as_a_table(paint, grey, target) -> None:
    pandas = pytest.importorskip("pandas")
    result = enhance.tune(grey, paint, target(0.7, 0.4), "grid", guards=[])
    table = result.dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns) == ["red", "green", "value"]
    assert len(table) == 121
    assert table.value.max() == pytest.approx(result.score)


def test_a_result_travels_between_processes_and_is_itself_only(coffee, paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.9, 0.5))
    there = pickle.loads(pickle.dumps(enhance.tune(coffee[..., ::8, ::8], "laplacian")))
    assert there.recipe.settings == there.settings
    assert result in [result]
    assert result not in [there]
    assert len({result, there}) == 2


def test_witnesses_speak_of_the_denoiser_alone(coffee) -> None:
    noise = 0.08 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)[..., :96, :96]

    def smooth(images):
        return -images.diff(dim=-1).abs().mean((1, 2, 3))

    chain = enhance.tune(noisy, ["turbo", "contrast"], smooth, crops=4).witnesses
    alone = enhance.tune(noisy, "turbo", smooth, crops=4).witnesses
    assert chain.scorer.keys() == chain.invariance.keys() == alone.scorer.keys() == {"sigma_s"}
