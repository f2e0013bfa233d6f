"""What stands on the pages, and that they need nothing else."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance
from enhance.batch import Row
from enhance.report.page import number, signed
from enhance.report.photo import photo_report, save_report
from enhance.report.sheet import contact_sheet, save_sheet

KINDS = ("enhanced", "refused", "sheet")
VOID = {"meta", "img", "input"}


class Reader(HTMLParser):
    """Collects text and attributes, and checks that elements close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_well_formed_and_refers_to_nothing_outside(
    kind: str, pages: dict[str, str]
) -> None:
    reader = Reader(pages[kind])
    for tag, name, value in reader.attributes:
        if name in ("src", "href", "srcset", "data", "action", "poster"):
            assert value.startswith("data:image/jpeg;base64,"), (tag, name)
        assert not name.startswith("on"), (tag, name)
    assert "url(" not in pages[kind]
    assert "@import" not in pages[kind]
    policy = next(v for _, n, v in reader.attributes if n == "content" and "default-src" in v)
    assert "default-src 'none'" in policy
    assert all(v for t, n, v in reader.attributes if t == "img" and n == "alt")


def test_everything_that_was_found_is_told(
    enhanced: enhance.TuneResult, pages: dict[str, str]
) -> None:
    text = Reader(pages["enhanced"]).text
    low, high = enhanced.interval
    assert "coffee.png" in text
    assert f"{enhanced.baseline:.3f}" in text
    assert f"{enhanced.score:.3f}" in text
    assert f"{signed(low)} to {signed(high)}" in text
    for name, value in enhanced.settings.items():
        assert f"{name} {enhanced.operator.parameters_spec[name].doc} {number(value)}" in text
    assert "Opinions" in text
    assert enhanced.recipe.scorer_sha256 in text
    assert pages["enhanced"].count("Gain of the score against") == 3
    assert pages["enhanced"].count("<rect") == 20


def test_a_refused_setting_is_shown_as_such(
    refused: enhance.TuneResult, pages: dict[str, str]
) -> None:
    text = Reader(pages["refused"]).text
    assert refused.verdict == "untouched"
    assert "Settings that were refused" in text
    assert "the guards refused it" in text
    for guard in refused.guards:
        assert guard.finding in text
        assert f"{guard.status} {guard.name}" in text
    assert number(refused.candidate["detail"]) in text
    assert "Opinions" not in text
    assert pages["refused"].count("data:image/jpeg") == 2


def test_a_photo_that_nothing_improves_is_shown_once(astronaut: Tensor) -> None:
    def likes_it_as_it_is(images: Tensor) -> Tensor:
        return -(images - images.detach().clone()).abs().mean((1, 2, 3))

    result = enhance.tune(astronaut, "laplacian", likes_it_as_it_is, crops=2)
    page = photo_report(result)
    assert page.count("data:image/jpeg") == 1
    assert "no guard was asked" in page
    assert ">photo</h1>" in page


def test_markup_in_names_stays_text(
    enhanced: enhance.TuneResult, rows: list[Row], folders: tuple[Path, Path]
) -> None:
    evil = "<img src=x onerror=alert(1)>\"'&.jpg"
    reason = "</p><script>alert(2)</script>"
    changed = replace(enhanced, recipe=replace(enhanced.recipe, reason=reason))
    for page in (
        photo_report(changed, evil),
        contact_sheet([Row.failed(evil, reason), rows[0]], *folders),
    ):
        reader = Reader(page)
        assert evil in reader.text
        assert reason in reader.text
        assert page.count("<script>") == 1


def test_the_sheet_has_the_largest_gain_first_and_failures_last(
    pages: dict[str, str], rows: list[Row]
) -> None:
    assert re.findall(r"<h2>(.*?)</h2>", pages["sheet"]) == [
        "high.png", "low.png", "same.png", "bad.png",
    ]  # fmt: skip
    text = Reader(pages["sheet"]).text
    assert "show all 4 enhanced 2 untouched 1 failed 1" in text
    assert all(row.reason in text for row in rows)
    assert pages["sheet"].count("data:image/jpeg") == 5  # an untouched photo once


def test_pages_are_written_whole_and_photos_may_be_gone(
    enhanced: enhance.TuneResult, rows: list[Row], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    save_report(enhanced, tmp_path / "report.html", title="ü\udce9")
    assert "<h1>ü\\udce9</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    save_sheet(rows, tmp_path / "moved", folders[1], tmp_path / "sheet.html")
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8").count("<article") == 4
    with pytest.raises(enhance.WriteError, match="no folder"):
        save_report(enhanced, tmp_path / "missing" / "report.html")


def test_heat_maps_of_a_scorer_that_sees_the_whole_photo(
    coffee: Tensor, scorer_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("captum", reason="needs the extra explain")
    result = enhance.tune(coffee, "contrast", scorer_file, crops=2, strategy="grid", guards=[])
    page = photo_report(result)
    assert page.count('alt="Heat map of photo, ') == 2
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    assert "Heat map" not in photo_report(result)


def test_no_heat_map_of_a_function(coffee: Tensor) -> None:
    result = enhance.tune(
        coffee, "contrast", lambda images: images.mean((1, 2, 3)), crops=2, strategy="grid"
    )
    assert "Heat map" not in photo_report(result)


def test_shares_of_the_gain_stand_beside_the_settings(enhanced: enhance.TuneResult) -> None:
    page = photo_report(enhanced)
    assert "share of the gain" in page
    for share in enhanced.ablation().values():
        assert f"{share:+.3f}" in page
    assert "Two witnesses" not in page


def test_a_denoised_photo_has_two_witnesses(coffee: Tensor) -> None:
    noise = 0.08 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    result = enhance.tune(noisy, "turbo", lambda x: -x.diff(dim=-1).abs().mean((1, 2, 3)), crops=4)
    page = photo_report(result)
    assert result.witnesses is not None
    assert "Two witnesses" in page
    assert f"{100 * result.witnesses.distance:.0f} % of the searched range apart" in page
