"""Rating tables of every kind: what is read, what is assumed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scorers import opinion
from scorers.errors import InputError, ScorerError
from scorers.ratings.popularity import popularity
from scorers.ratings.readers import read_names, read_table
from scorers.ratings.tables import RatingTable, from_moments


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ava_votes_become_shares_of_the_photo_of_that_id(tmp_path: Path) -> None:
    path = write(
        tmp_path / "AVA.txt",
        "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396",
        "2 953958 10 0 0 0 0 0 0 0 0 10 0 0 1396",
    )
    table = read_table(path, photos=tmp_path / "images")
    assert table.names == ["953619.jpg", "953958.jpg"]
    assert table.folder == tmp_path / "images"
    assert (table.spread, len(table.buckets)) == ("votes", 10)
    torch.testing.assert_close(table.opinions[0, 3].item(), 17 / 124)
    torch.testing.assert_close(table.means[1].item(), 5.5)
    torch.testing.assert_close(table.stds[1].item(), 4.5)


def test_tid2013_deviations_of_means_are_told_from_those_of_ratings(tmp_path: Path) -> None:
    (tmp_path / "distorted_images").mkdir()
    (tmp_path / "distorted_images" / "i01_01_1.BMP").touch()
    means = ("5.51429 I01_01_1.bmp", "4.94444 i01_01_2.bmp", "3.51111 i02_01_1.bmp")
    write(tmp_path / "mos_with_names.txt", *means)
    assert read_table(tmp_path).spread == "model"
    write(tmp_path / "mos_std.txt", "0.13", "0.2", "0.25")
    table = read_table(tmp_path)
    assert table.names[0] == "i01_01_1.BMP"  # as the archive spells it
    assert table.groups == ["i01", "i01", "i02"]
    assert table.buckets == tuple(float(rating) for rating in range(10))
    assert "deviations of means" in table.note
    torch.testing.assert_close(table.stds[1].item(), 0.2 * (971 / 25) ** 0.5, atol=1e-4, rtol=0)
    write(tmp_path / "mos_std.txt", "1.1", "1.2", "1.3")
    plain = read_table(tmp_path / "mos_with_names.txt")
    assert not plain.note
    torch.testing.assert_close(plain.stds, torch.tensor([1.1, 1.2, 1.3]), atol=1e-4, rtol=0)


def test_votes_may_be_counts_or_shares_and_come_with_a_split(tmp_path: Path) -> None:
    path = write(
        tmp_path / "koniq.csv",
        "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set",
        "a.jpg,0,0.25,0.5,0.25,0,100,60,0.7,training",
        "b.jpg,1,0,0,0,3,4,70,1.7,test",
    )
    table = read_table(path)
    assert table.spread == "votes"
    torch.testing.assert_close(table.means, torch.tensor([3.0, 4.0]))
    assert table.part("test").names == ["b.jpg"]
    assert table.part("train").names == ["a.jpg"]


def test_the_real_koniq_table(shared: Path) -> None:
    table = read_table(shared / "data/labels_only/koniq10k_distributions_sets.csv")
    assert len(table) == 10_073
    assert [len(table.part(part)) for part in ("train", "validation", "test")] == [7058, 1000, 2015]
    # the table's own SD column, of the first photo; it divides by the votes less one
    torch.testing.assert_close(
        table.stds[0].item(), 0.52728 * (104 / 105) ** 0.5, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    ("header", "row", "scale", "mean", "spread"),
    [
        ("filename,mean", "a.png,7.5", None, 7.5, "model"),
        ("filename,mean,std", "a.png,7.5,1.2", None, 7.5, "stated"),
        ("image,MOS", "a.png,50", (0.0, 100.0), 5.5, "model"),
        ("filename,mean,std,scale", "a.png,0.5,,0-1", None, 5.5, "model"),
        ("filename,faves,views", "a.png,9,99", None, 5.5, "model"),
    ],
)
def test_plain_tables_are_moved_to_the_buckets(
    header: str,
    row: str,
    scale: tuple[float, float] | None,
    mean: float,
    spread: str,
    tmp_path: Path,
) -> None:
    table = read_table(write(tmp_path / "t.csv", header, row), scale=scale)
    torch.testing.assert_close(table.means.item(), mean, atol=1e-4, rtol=0)
    assert table.spread == spread


def test_a_scale_that_nobody_stated_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "filename,mean", "a.png,0.7", "b.png,0.2")
    with pytest.raises(InputError, match="line 2: mean must lie in the scale"):
        read_table(path)
    low = read_table(path, buckets=(0, 1, 2))
    assert low.note == "means taken to be on the scale 0-2, since none is stated"
    assert read_table(path, scale=(0, 1)).note == ""
    columned = write(tmp_path / "c.csv", "filename,mean,scale", "a.png,0.7,0-1", "b.png,0.2,0-1")
    assert read_table(columned).note == ""


def test_a_set_column_without_a_word_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "filename,mean,set", "a.png,7,", "b.png,2,")
    assert not read_table(path).parts


@given(st.floats(1, 10), st.floats(0, 6))
def test_any_moments_give_an_opinion_with_the_nearest_possible_ones(
    mean: float, std: float
) -> None:
    buckets = tuple(range(1, 11))
    means, stds = torch.tensor([mean]).double(), torch.tensor([std]).double()
    low, high = opinion.std_bounds(means, buckets)
    shares = from_moments(means, stds, buckets).double()
    assert opinion.mean(shares, buckets).item() == pytest.approx(means.item(), abs=1e-3)
    nearest = stds.clamp(low, high).item()
    assert opinion.std(shares, buckets).item() == pytest.approx(nearest, abs=1e-2)


def test_another_scale_keeps_votes_where_it_can_and_moments_where_not() -> None:
    votes = torch.tensor([[0.0, 0.5, 0.5, 0.0, 0.0]])
    table = RatingTable("t", Path(), ["a"], votes, (1, 2, 3, 4, 5), "votes", ["a"])
    torch.testing.assert_close(table.over((0, 1, 2, 3, 4)).opinions, votes)
    wide = table.over(tuple(range(1, 11)))
    torch.testing.assert_close(wide.means, table.means.sub(1) * 9 / 4 + 1, atol=1e-4, rtol=0)
    torch.testing.assert_close(wide.stds, table.stds * 9 / 4, atol=1e-4, rtol=0)


def test_copies_of_one_photo_never_part_and_a_test_list_rules() -> None:
    names = [f"i{i:02d}_{j}.bmp" for i in range(1, 26) for j in range(4)]
    groups = [name[:3] for name in names]
    table = RatingTable("t", Path(), names, torch.full((100, 2), 0.5), (0, 1), "votes", groups)
    parts = {part: table.part(part) for part in ("train", "validation", "test")}
    assert sum(map(len, parts.values())) == 100
    found = [set(part.groups) for part in parts.values()]
    assert not any(a & b for i, a in enumerate(found) for b in found[:i])
    assert all(found)
    listed = table.with_test_list({"i01_0", "i01_1.bmp"})
    assert listed.part("test").names == ["i01_0.bmp", "i01_1.bmp"]
    assert "i01" not in listed.part("train").groups + listed.part("validation").groups
    assert sum(len(listed.part(part)) for part in parts) == 98
    assert listed.note == (
        "2 photos are left out: not on the test list, but of one group with photos that are"
    )
    with pytest.raises(InputError, match="none of the 1 names"):
        table.with_test_list({"elsewhere"})


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("my photo.jpg", "my photo.jpg"),
        ("123.jpg", "123"),
        ("images/a.jpg", "a.jpg"),
        ("images/a.jpg", "images/a"),
        ("a.jpg", "images/a.jpg"),
    ],
)
def test_a_test_list_may_name_photos_with_or_without_folder_and_ending(
    name: str, entry: str, tmp_path: Path
) -> None:
    names = [name, *(f"images/{i}.png" for i in range(20))]
    table = RatingTable("t", Path(), names, torch.full((21, 2), 0.5), (0, 1), "votes", names)
    (tmp_path / "list.txt").write_text(f"{entry}\n\nabsent.jpg\n")
    listed = table.with_test_list(read_names(tmp_path / "list.txt"))
    assert listed.part("test").names == [name]
    assert listed.note == "1 of 2 names of the test list are not in the table, such as absent.jpg"


def test_a_folder_tells_photos_of_one_name_apart() -> None:
    names = ["a/1.jpg", "b/1.jpg"]
    table = RatingTable("t", Path(), names, torch.full((2, 2), 0.5), (0, 1), "votes", names)
    assert table.with_test_list({"a/1.jpg"}).part("test").names == ["a/1.jpg"]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ([], "is empty"),
        (["filename,mean"], "holds no photos"),
        (["filename,mean", "a.png,11"], r"line 2: mean must lie in the scale \[1, 10\], got 11"),
        (["filename,mean", "a.png,x"], "line 2: needs a number, got 'x'"),
        (["filename,mean", "a.png,5", ",5"], "line 3: filename is empty"),
        (["filename,taste", "a.png,5"], "must have a mean under one of mean, mos, score"),
        (["file,mean", "a.png,5"], "must have a file name under one of filename"),
        (["filename,c1,c2", "a.png,0,0"], "line 2: votes must be counts"),
        (["filename,mean,scale", "a.png,5,high"], "a scale is written low-high, got 'high'"),
        (["filename,faves,views", "a.png,5,2"], "but got faves=5, views=2"),
        (["filename,mean,std", "a.png,5,1", "b.png,5,"], "line 3: std is empty"),
        (["filename,mean,std", "a.png,5,1", "b.png,5,-1"], "line 3: `std >= 0` must hold, got -1"),
        (["filename,mean", "", "a.png,5", "", "b.png,x"], "line 5: needs a number, got 'x'"),
        (["filename,faves,views", "a.png,1,2", "", "b.png,5,2"], "line 4: .*but got faves=5"),
        (
            ["filename,mean,scale", "a.png,3,1-5", "b.png,4,1-10"],
            "line 3: a table has one scale, got '1-10' after '1-5'",
        ),
        (
            ["filename,mean,set", "a.png,5,test", "b.png,5,held"],
            "line 3: set must be one of train, .*, got 'held'",
        ),
        (["filename,mean,set", "a.png,5,test", "b.png,5"], "line 3: set must be .*, got ''"),
        (["image_name,c1,c2,set", "a.png,1,1,train", "b.png,1,1"], "line 3: set must be one of"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(
    lines: list[str], rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=rule):
        read_table(path)


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_table(tmp_path / "gone.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="not UTF-8"):
        read_table(tmp_path / "binary.csv")
    short = write(tmp_path / "AVA.txt", "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396", "2 9 1 2")
    with pytest.raises(InputError, match="line 2: needs a row, an id and ten counts"):
        read_table(short)
    with pytest.raises(ScorerError, match="did you mean 'votes'"):
        read_table(short, kind="vote")
    write(tmp_path / "mos_with_names.txt", "5.5 a.bmp", "4.5 b.bmp")
    write(tmp_path / "mos_std.txt", "1")
    with pytest.raises(InputError, match=r"has 1 values, mos_with_names\.txt has 2"):
        read_table(tmp_path)


def test_popularity_hardly_moves_with_the_number_of_views() -> None:
    """Faves that are a power of views give that power, whoever sees the photo."""
    views = torch.tensor([1e2, 1e4, 1e6], dtype=torch.float64)
    scores = popularity(views**0.5, views)
    assert scores.max() - scores.min() < 0.03
    assert bool((popularity(views**0.6, views) > scores).all())
