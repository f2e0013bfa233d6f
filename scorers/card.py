"""Model cards: what a weight file is, where it comes from, and what it was measured at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from typing import Any

from scorers.backbones import create
from scorers.errors import InputError, WeightsError
from scorers.nima import NIMA
from scorers.preprocess import Preprocess


@dataclass(frozen=True)
class Architecture:
    """A backbone's name and the options it is built with (see `scorers.backbones`)."""

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self, buckets: int) -> NIMA:
        """A network of this architecture, not yet trained."""
        return NIMA(create(self.backbone, **self.options), buckets)


@dataclass(frozen=True)
class ModelCard:
    """Everything a reader needs to trust a scorer, or not; it travels inside the weight file.

    Attributes:
        name: what `scorers.load` calls it.
        architecture: how to rebuild the network.
        preprocess: how to show it a photo.
        buckets: the ratings its opinion is over, ascending.
        summary: one sentence: what it judges, and when to use it.
        origin: where the weights come from.
        licence: of the weights, as an SPDX identifier where there is one.
        training_data: what it learned from, with terms.
        learned_from: fingerprint of those photos (`scorers.ratings.overlap`), where it has one.
        source_sha256: of the published file these weights were converted from, if any.
        sha256: of this weight file; filled in when it is read.
        measured: figures, each under a name that says what and on which photos.
        limits: what it is known to get wrong.

    Raises:
        InputError: buckets that are not finite and ascending.
    """

    name: str
    architecture: Architecture
    preprocess: Preprocess = field(default_factory=Preprocess)
    buckets: tuple[float, ...] = tuple(float(rating) for rating in range(1, 11))
    summary: str = ""
    origin: str = ""
    licence: str = ""
    training_data: str = ""
    learned_from: str = ""
    source_sha256: str = ""
    sha256: str = ""
    measured: Mapping[str, float | str] = field(default_factory=dict)
    limits: str = ""

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.buckets))
        if not (self.buckets and rising and all(map(math.isfinite, self.buckets))):
            raise InputError(f"buckets must be finite and ascending, got {self.buckets}")

    def to_json(self) -> str:
        """Stable, indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read what `to_json` wrote.

        Raises:
            WeightsError: not a card, or one with a field this version does not know.

        >>> card = ModelCard("mine", Architecture("vgg16"), licence="Apache-2.0")
        >>> ModelCard.from_json(card.to_json()) == card
        True
        """
        try:
            values = json.loads(text)
            unknown = set(values) - {f.name for f in fields(cls)}
            if unknown:
                raise WeightsError(f"model card has an unknown field {sorted(unknown)[0]!r}")
            values["architecture"] = Architecture(**values["architecture"])
            shown = values.get("preprocess", {})
            for name in {"mean", "std"} & set(shown):
                shown[name] = tuple(shown[name])
            values["preprocess"] = Preprocess(**shown)
            if "buckets" in values:
                values["buckets"] = tuple(float(rating) for rating in values["buckets"])
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(f"model card cannot be read: {error}") from error

    def to_markdown(self) -> str:
        """The card as a page for people."""
        shown = self.preprocess
        options = "".join(f", {key}={value}" for key, value in self.architecture.options.items())
        rows = {
            "Licence": self.licence,
            "Origin": self.origin,
            "Training data": self.training_data,
            "Architecture": f"NIMA on {self.architecture.backbone}{options}",
            "Scale": f"{len(self.buckets)} buckets, {self.buckets[0]:g} to {self.buckets[-1]:g}",
            "Shown as": f"{shown.size}x{shown.size}, "
            f"{shown.method if shown.view == 'whole' else f'{shown.crops} x {shown.crops} native'}"
            f"{' antialiased' if shown.antialias else ''}, "
            f"{f'blurred by {shown.blur:g} px, ' if shown.blur else ''}"
            f"mean {list(shown.mean)}, std {list(shown.std)}",
            "sha256 of the published file": self.source_sha256,
            "sha256": self.sha256,
            "Limits": self.limits,
        }
        lines = [f"# {self.name}", "", self.summary, "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in rows.items() if value]
        if self.measured:
            lines += ["", "| measured | |", "|---|---|"]
            lines += [f"| {name} | {value} |" for name, value in self.measured.items()]
        return "\n".join(lines) + "\n"
