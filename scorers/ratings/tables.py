"""Rating tables: which photos, what people said of them, and which split each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from scorers import opinion
from scorers.errors import InputError
from scorers.ratings.split import Part, part_of

Spread = Literal["votes", "stated", "model"]
AVA_BUCKETS = tuple(float(rating) for rating in range(1, 11))


@dataclass(frozen=True)
class RatingTable:
    """Photos and the opinions people have of them.

    Attributes:
        name: of the table, for reports.
        folder: where the photos lie.
        names: files relative to `folder`.
        opinions: ``(N, K)`` shares of opinions over `buckets`.
        buckets: the K ratings, ascending.
        spread: where the spread of the opinions comes from: ``"votes"`` were counted,
            ``"stated"`` standard deviations were published, or a ``"model"`` guessed them
            (`scorers.opinion.typical_std`), in which case they say nothing about people.
        groups: photos of one group (the copies of one reference) never part.
        parts: the published split, or empty for a split by a hash of the group.
        note: what a reader of the table had to assume.
    """

    name: str
    folder: Path
    names: Sequence[str]
    opinions: Tensor
    buckets: tuple[float, ...]
    spread: Spread
    groups: Sequence[str]
    parts: Sequence[Part] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def means(self) -> Tensor:
        """``(N,)`` mean ratings."""
        return opinion.mean(self.opinions, self.buckets)

    @property
    def stds(self) -> Tensor:
        """``(N,)`` standard deviations of the ratings."""
        return opinion.std(self.opinions, self.buckets)

    def take(self, rows: Sequence[int]) -> RatingTable:
        """Only these rows."""
        return replace(
            self,
            names=[self.names[i] for i in rows],
            opinions=self.opinions[list(rows)],
            groups=[self.groups[i] for i in rows],
            parts=[self.parts[i] for i in rows] if self.parts else (),
        )

    def part(self, part: Part) -> RatingTable:
        """The rows of one split: the published one, else 80, 10 and 10 % by `part_of` the group."""
        parts = self.parts or [part_of(group) for group in self.groups]
        return self.take([i for i, own in enumerate(parts) if own == part])

    def with_test_list(self, listed: set[str]) -> RatingTable:
        """A published test list: these names are the test split.

        A name is one of the table's, with its folder and ending or without. Of the rest, what the
        table publishes as train or validation stays that, and all else is split 90 to 10 by
        `part_of`. Photos that are not listed but of a group with one that is are left out, for
        what is tested on must not have been seen. The note says how many they are, how many
        listed names the table does not hold, and how many photos of the table's own test split
        are not on the list.

        Raises:
            InputError: no photo of the table is on the list.
        """
        found = _on_list(self.names, listed)
        if not any(found):
            raise InputError(f"none of the {len(listed)} names of the test list is in {self.name}")
        tested = {group for group, own in zip(self.groups, found, strict=True) if own}
        hashed: list[Part] = [part_of(group) for group in self.groups]
        own_parts = [
            p if p != "test" else h for p, h in zip(self.parts or hashed, hashed, strict=True)
        ]
        rest: list[Part] = ["validation" if p == "validation" else "train" for p in own_parts]
        parts: list[Part] = [
            "test" if own else other for own, other in zip(found, rest, strict=True)
        ]
        rows = [i for i, own in enumerate(found) if own or self.groups[i] not in tested]
        absent = sorted(listed - set().union(*found))
        notes = [self.note] if self.note else []
        published = sum(
            p == "test" and not own for p, own in zip(self.parts, found, strict=bool(self.parts))
        )
        if published:
            notes.append(
                f"{published} photos of the table's own test split are not on the test list, "
                "and are trained on or validated with"
            )
        if absent:
            notes.append(
                f"{len(absent)} of {len(listed)} names of the test list are not in the table, "
                f"such as {absent[0]}"
            )
        if len(rows) < len(self):
            notes.append(
                f"{len(self) - len(rows)} photos are left out: not on the test list, "
                "but of one group with photos that are"
            )
        return replace(self, parts=parts, note="; ".join(notes)).take(rows)

    def over(self, buckets: Sequence[float]) -> RatingTable:
        """The same opinions on another scale.

        Where the number of buckets is the same, votes move from bucket to bucket. Otherwise the
        moments are moved linearly, and the maximum-entropy opinion of those moments is taken;
        votes are then votes no more, and the note says so, and how many deviations had to move.
        """
        target = tuple(buckets)
        if target == self.buckets:
            return self
        if len(target) == len(self.buckets):
            return replace(self, buckets=target)
        low, high = self.buckets[0], self.buckets[-1]
        factor = (target[-1] - target[0]) / (high - low)
        means, stds = (self.means - low) * factor + target[0], self.stds * factor
        spread, said = self.spread, ""
        if spread == "votes":
            spread = "stated"
            said = f"votes over {len(self.buckets)} buckets moved to {len(target)} by their moments"
        return replace(
            self,
            opinions=from_moments(means, stds, target),
            buckets=target,
            spread=spread,
            note=joined(self.note, said, note_on_moved(impossible(means, stds, target))),
        )


def _on_list(names: Sequence[str], listed: set[str]) -> list[set[str]]:
    """For each photo of a table, the names by which a test list calls it."""
    bare: dict[str, set[str]] = {}  # the list may state folders where the table states none
    for other in listed:
        bare.setdefault(Path(other).name, set()).add(other)
    found = []
    for name in names:
        path = Path(name)
        own = {name, str(path.with_suffix("")), path.name, path.stem}
        if path.parent == Path():
            found.append(set().union(*(bare.get(way, ()) for way in own)))
        else:
            found.append(own & listed)
    return found


def from_moments(means: Tensor, stds: Tensor, buckets: Sequence[float]) -> Tensor:
    """``(N,)`` moments to ``(N, K)`` maximum-entropy opinions.

    Ratings on another or a continuous scale can spread less than buckets allow (a mean between
    two buckets needs some opinion on both), so standard deviations are limited to what is
    possible at their mean.
    """
    low, high = opinion.std_bounds(means, buckets)
    limited = torch.minimum(torch.maximum(stds.double(), low), high)
    return opinion.maximum_entropy(means.double(), limited, buckets).float()


def impossible(means: Tensor, stds: Tensor, buckets: Sequence[float]) -> Tensor:
    """``(N,)`` booleans: deviations that no opinion over these buckets has at its mean.

    What `from_moments` moves by less than a thousandth of the scale is taken for rounding.
    """
    low, high = opinion.std_bounds(means, buckets)
    slack = 1e-3 * (buckets[-1] - buckets[0])
    return (stds.double() < low - slack) | (stds.double() > high + slack)


def note_on_moved(moved: Tensor) -> str:
    """What a table says of the deviations in which `impossible` is true; nothing where none is."""
    count = int(moved.sum())
    if not count:
        return ""
    return f"{count} of {len(moved)} deviations were moved to the nearest possible at their means"


def joined(*notes: str) -> str:
    """Notes as one, without those that say nothing."""
    return "; ".join(note for note in notes if note)


def repeated(path: Path, names: Sequence[str], lines: Sequence[int], parts: Sequence[Part]) -> str:
    """Refuse photos in two parts of a published split, and count other repetitions for a note.

    Args:
        path: of the table, for the message.
        names, lines: of the photos.
        parts: the published split, or empty: a hash never parts equal names.

    Raises:
        InputError: a photo is in two parts, so that it would be tested on what was learned.
    """
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        before = first.setdefault(name, row)
        if parts and parts[before] != parts[row]:
            raise InputError(
                f"{path}, line {lines[row]}: {name} is of {parts[row]}, but of {parts[before]} in "
                f"line {lines[before]}"
            )
    count = len(names) - len(first)
    return f"{count} of {len(names)} rows name a photo that is listed before" if count else ""
