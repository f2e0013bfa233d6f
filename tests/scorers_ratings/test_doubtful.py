"""Tables that say something else than they seem to: refused with the line, or noted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scorers import opinion
from scorers.errors import InputError, OpinionError
from scorers.ratings.readers import read_table
from scorers.ratings.tables import RatingTable


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_deviations_on_another_scale_than_the_means_are_refused(tmp_path: Path) -> None:
    """As in KonIQ-10k, whose means are of 0 to 100 and whose deviations are of 1 to 5."""
    rows = [f"{n}.jpg,{40 + n},0.6" for n in range(10)]
    path = write(tmp_path / "t.csv", "image_name,MOS,SD", *rows)
    with pytest.raises(InputError, match=r"such as 0\.6 in line 2, which must lie in \[.*\] at"):
        read_table(path, scale=(0, 100))


def test_the_real_koniq_table_is_refused_as_a_plain_one(shared: Path) -> None:
    path = shared / "data/labels_only/koniq10k_distributions_sets.csv"
    with pytest.raises(InputError, match="are they on another scale, or of means"):
        read_table(path, kind="plain", scale=(0, 100))


def test_deviations_that_are_moved_are_counted(tmp_path: Path) -> None:
    rows = ["a.png,5.5,0.2", "b.png,5.5,1.2", "c.png,1,0", "d.png,5.5,0.4999"]
    table = read_table(write(tmp_path / "t.csv", "filename,mean,std", *rows), scale=(1, 10))
    assert table.note == "1 of 4 deviations were moved to the nearest possible at their means"


def test_votes_that_change_their_buckets_are_votes_no_more() -> None:
    votes = torch.tensor([[0.0, 0.5, 0.5, 0.0, 0.0], [0.9, 0.1, 0.0, 0.0, 0.0]])
    table = RatingTable("t", Path(), ["a", "b"], votes, (1, 2, 3, 4, 5), "votes", ["a", "b"])
    assert table.over((0, 1, 2, 3, 4)).spread == "votes"
    wide = table.over(tuple(range(1, 11)))
    assert wide.spread == "stated"
    assert wide.note == "votes over 5 buckets moved to 10 by their moments"
    coarse = table.over((1, 2))
    assert coarse.note.endswith(
        "2 of 2 deviations were moved to the nearest possible at their means"
    )


def test_a_photo_is_in_one_part(tmp_path: Path) -> None:
    rows = ["a.png,5,train", "b.png,5,train", "a.png,6,test"]
    path = write(tmp_path / "t.csv", "filename,mean,set", *rows)
    with pytest.raises(InputError, match=r"line 4: a\.png is of test, but of train in line 2"):
        read_table(path)
    path = write(tmp_path / "v.csv", "image_name,c1,c2,set", "a,1,2,test", "", "a,1,1,val")
    with pytest.raises(InputError, match=r"line 4: a is of validation, but of test in line 2"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("t.csv", ["filename,mean,scale", "a.png,5,1-10", "a.png,6,1-10", "b.png,6,1-10"]),
        ("v.csv", ["filename,c1,c2", "a.png,5,1", "a.png,6,1", "b.png,6,1"]),
        ("AVA.txt", [f"{n} {i} 0 1 5 17 38 36 15 6 5 1 1 2 3" for n, i in enumerate("997")]),
        ("mos_with_names.txt", ["5 i01_01_1.bmp", "5 i01_01_1.BMP", "5 i01_01_2.bmp"]),
    ],
)
def test_photos_that_are_listed_again_are_counted(
    name: str, lines: list[str], tmp_path: Path
) -> None:
    if name.startswith("mos"):
        (tmp_path / "distorted_images").mkdir()
        (tmp_path / "distorted_images" / "i01_01_1.bmp").touch()
    table = read_table(write(tmp_path / name, *lines))
    assert len(table) == 3
    assert table.note == "1 of 3 rows name a photo that is listed before"


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["filename,mean", "a.png,5,7"], "line 2: needs 2 cells at most, got 3; decimals are"),
        (["filename,mean,Mean ", "a.png,5,7"], "has the column mean twice"),
        (["filename,mean", f"{'a' * 140_000},5"], "line 2: field larger than field limit"),
        (["", "filename,mean", "", "a.png,x"], "line 4: needs a number, got 'x'"),
        (["filename,mean", "  ,5"], "line 2: filename is empty"),
        (["filename,c01,c02", "a.png,1,2"], "must have a mean under one of"),
        (["", " "], "is empty"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(
    lines: list[str], rule: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rule):
        read_table(write(tmp_path / "t.csv", *lines))


@pytest.mark.parametrize(
    "scale", [(0, float("inf")), (float("-inf"), 5), (5, 5), (0, float("nan"))]
)
def test_a_scale_has_two_ends(scale: tuple[float, float], tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "filename,mean", "a.png,5")
    with pytest.raises(InputError, match="`-inf < low < high < inf` must hold for a scale"):
        read_table(path, scale=scale)


def test_blanks_and_empty_cells_are_no_content(tmp_path: Path) -> None:
    rows = ["", "filename,mean,,", " p00.png ,5,,,", "p01\u2028x.png, 6 ", ""]
    table = read_table(write(tmp_path / "t.csv", *rows), scale=(1, 10))
    assert table.names == ["p00.png", "p01\u2028x.png"]
    torch.testing.assert_close(table.means, torch.tensor([5.0, 6.0]), atol=1e-4, rtol=0)
    ava = ["", "1 9 0 1 5 17 38 36 15 6 5 1 1 22 1396", ""]
    assert read_table(write(tmp_path / "AVA.txt", *ava)).names == ["9.jpg"]
    odd = write(tmp_path / "odd.txt", "1² 9 0 1 5 17 38 36 15 6 5 1 1 22 1396")
    with pytest.raises(InputError, match="holds no photos"):
        read_table(odd)


def test_tid2013_may_end_in_blank_lines_and_states_what_can_be(tmp_path: Path) -> None:
    path = write(tmp_path / "mos_with_names.txt", "5.5 a.bmp", "4.5 b.bmp", "")
    beside = write(tmp_path / "mos_std.txt", "1.2", "1.1", "")
    assert len(read_table(path)) == 2
    write(beside, "1.2", "-1.1")
    with pytest.raises(InputError, match=r"mos_std\.txt, line 2: a deviation must be 0 or more"):
        read_table(path)
    write(path, "5.5 a.bmp", "", "9.5 b.bmp")
    with pytest.raises(InputError, match=r"line 3: mean must lie in \[0, 9\], got 9\.5"):
        read_table(path)


def test_a_test_list_leaves_the_published_split_of_the_rest(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(40)]
    published = ["validation" if n % 2 else "train" for n in range(36)] + ["test"] * 4
    rows = [f"{name},5,{part}" for name, part in zip(names, published, strict=True)]
    table = read_table(write(tmp_path / "t.csv", "filename,mean,set", *rows), scale=(1, 10))
    listed = table.with_test_list(set(names[:4] + names[36:37]))
    assert listed.part("test").names == names[:4] + names[36:37]
    for part in ("train", "validation"):
        kept = [n for n, p in zip(names[4:36], published[4:36], strict=True) if p == part]
        assert set(kept) <= set(listed.part(part).names)
    assert len(listed) == 40
    assert listed.note.startswith("3 photos of the table's own test split are not on the test list")


def test_bounds_of_deviations_are_those_of_two_buckets() -> None:
    low, high = opinion.std_bounds(torch.tensor([1.0, 1.5, 3.0, 7.0]), (1, 2, 5))
    torch.testing.assert_close(low, torch.tensor([0.0, 0.5, 2**0.5, 0.0]).double())
    torch.testing.assert_close(high, torch.tensor([0.0, 1.75**0.5, 2.0, 0.0]).double())


def test_a_distance_of_no_order_is_refused() -> None:
    one = torch.tensor([0.5, 0.5])
    with pytest.raises(OpinionError, match="r must be at least 1, got nan"):
        opinion.emd(one, one, float("nan"))
