"""Photos that were learned from are found again, and others are not."""

from __future__ import annotations

from scorers.ratings.overlap import fingerprint, found_in

LEARNED = [f"photos/{i}.jpg" for i in range(9000)]
OTHERS = [f"other/{i}.jpg" for i in range(9000)]


def test_a_long_list_is_known_by_few_of_its_names() -> None:
    print_ = fingerprint(LEARNED)
    assert len(print_.split()) == 128
    assert print_ == fingerprint(reversed(LEARNED))
    assert len(found_in(LEARNED, print_)) == 128
    assert found_in(OTHERS, print_) == []
    assert 2 <= len(found_in(LEARNED[:1000], print_)) <= 40  # 14 are expected of a ninth


def test_a_short_list_is_known_by_all() -> None:
    assert found_in([*OTHERS[:20], *LEARNED[:20]], fingerprint(LEARNED[:20])) == LEARNED[:20]
    assert found_in(LEARNED, "") == []


def test_fingerprints_of_two_lists_are_that_of_both() -> None:
    assert fingerprint(OTHERS, earlier=fingerprint(LEARNED)) == fingerprint([*LEARNED, *OTHERS])
