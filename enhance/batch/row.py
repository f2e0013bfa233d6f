"""What became of one photo of a batch: a line of the results table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from enhance.recipe import Recipe


@dataclass(frozen=True)
class Row:
    """One photo's outcome. Nothing in it depends on when, or by which worker, it was made.

    Attributes:
        photo: path in the source folder, with ``/`` between its parts.
        output: path in the output folder; None if the photo failed.
        verdict: ``"enhanced"``, ``"untouched"`` or ``"failed"``.
        reason: why, in words; for a failed photo, the error.
        settings, score, baseline, gain, interval, strategy: as `enhance.TuneResult` has them;
            empty or None for a failed photo.
    """

    photo: str
    output: str | None
    verdict: str
    reason: str
    settings: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    baseline: float | None = None
    gain: float | None = None
    interval: tuple[float, float] | None = None
    strategy: str | None = None

    @classmethod
    def done(cls, photo: str, output: str, recipe: Recipe) -> Row:
        """The row of a photo that this recipe was found for."""
        return cls(
            photo,
            output,
            recipe.verdict,
            recipe.reason,
            dict(sorted(recipe.settings.items())),
            recipe.score,
            recipe.baseline,
            recipe.gain,
            recipe.interval,
            recipe.strategy,
        )

    @classmethod
    def failed(cls, photo: str, reason: str) -> Row:
        """The row of a photo that could not be read, worked on or written."""
        return cls(photo, None, "failed", " ".join(reason.split()))

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON holds it.

        >>> row = Row.failed("a.jpg", "cannot read a.jpg: empty file")
        >>> Row.from_dict(row.as_dict()) == row
        True
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> Row:
        """The inverse of `as_dict`."""
        interval = entries["interval"]
        return cls(**{**entries, "interval": None if interval is None else tuple(interval)})
