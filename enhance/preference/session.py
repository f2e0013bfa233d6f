"""A person and a photo: pairs to choose from, choices taken in, a recipe in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from os import PathLike
from typing import Any, get_args

from torch import Tensor

from enhance.errors import ParameterError, RecipeError, UnknownNameError
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike, Photo
from enhance.operators.base import Operator
from enhance.operators.rendering import render_full
from enhance.operators.resolve import OperatorLike, members, resolve_operator
from enhance.preference.perceived import perceived_metric
from enhance.preference.saved import FORMAT, digest, read_session
from enhance.preference.taste import SPREAD, Answer, Taste
from enhance.preview import preview
from enhance.recipe import Recipe
from enhance.tuning.integers import check_seed
from enhance.tuning.scoring import ScorerLike
from enhance.tuning.space import Space, answers_to_keep, one_number
from enhance.tuning.start import Start, start_of, starting_point, starting_space
from enhance.tuning.tune import tune

_METRIC_SIDE = 192
"""Longest side of what is rendered to learn how settings look, in px."""


@dataclass(frozen=True)
class Version:
    """One of the two: its settings, and a preview ``(1, 3, H, W)`` in [0, 1]."""

    settings: Mapping[str, float]
    pixels: Tensor


@dataclass(frozen=True)
class Pair:
    """Two versions of a photo to choose from."""

    left: Version
    right: Version


@dataclass(frozen=True)
class Choice:
    """Settings that were shown, and what the person said."""

    left: Mapping[str, float]
    right: Mapping[str, float]
    answer: Answer


class Session:
    """Choices between two versions of one photo, and the settings they lead to.

    Made by `prefer`. The same photo, start, seed and answers give the same pairs and result.

    Attributes:
        choices: what was chosen so far, in order.
        start: the settings before any choice.
        space: what is asked about within which bounds, and the values of the rest.
    """

    def __init__(
        self,
        photo: Photo,
        operator: Operator[Any],
        space: Space,
        start: Mapping[str, float],
        seed: int = 0,
        choices: Sequence[Choice] = (),
    ) -> None:
        if not any(parameter.low < parameter.high for parameter in space.varying.values()):
            raise ParameterError("at least one parameter must vary, got none to choose between")
        self.photo, self.operator, self.seed = photo, operator, check_seed(seed)
        self.start = starting_point(operator, space, start)
        self.space = space
        calibrated = space.calibrated(operator, photo.pixels)
        self._constant = calibrated.constant
        self._told = answers_to_keep(operator, space, calibrated)
        self._native = operator.views == "native"
        self._preview = preview(photo.pixels, native=self._native)
        small = preview(photo.pixels, native=self._native, side=_METRIC_SIDE)
        self._centre = space.to_unit(self.start)
        self._metric = perceived_metric(operator, calibrated, small, self._centre, SPREAD)
        self.choices: list[Choice] = []
        self._replay(choices)

    def __repr__(self) -> str:
        return f"<Session of {self.operator.name} after {len(self.choices)} choices>"

    def pair(self) -> Pair:
        """The two versions to choose from next; the same two until a choice is made."""
        left, right = (self.space.describe(point) for point in self._taste.question())
        return Pair(self._version(left), self._version(right))

    def choose(self, answer: Answer) -> None:
        """Say which of the `pair` is better: ``"left"``, ``"right"``, or ``"same"``.

        Raises:
            ParameterError: another answer.
        """
        left, right = (self.space.describe(point) for point in self._taste.question())
        self._learn(Choice(left, right, answer))

    def undo(self) -> None:
        """Take the last choice back; its pair is asked again."""
        self._replay(self.choices[:-1])

    @property
    def settings(self) -> dict[str, float]:
        """Where the optimum is now: the start, moved by the choices."""
        return self.space.describe(self._taste.ideal) if self.choices else dict(self.start)

    @property
    def doubt(self) -> float:
        """How far from `settings` the person's ideal is expected to look, in CIE76 units.

        About 2 is hardly visible; choices beyond that are of little use.
        """
        return self._taste.doubt

    def result(self) -> Recipe:
        """The settings now, as a recipe for `enhance.apply`."""
        count = len(self.choices)
        return Recipe(
            operators=tuple(member.name for member in members(self.operator)),
            settings={**self._fixed, **self._told, **self.settings},
            reason=f"{count} choice{'' if count == 1 else 's'} between two versions",
            strategy="prefer",
            seed=self.seed,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the session as JSON, to go on with by ``prefer(photo, resume=path)``.

        Raises:
            WriteError: the target cannot be written.
        """
        from enhance.atomic import write_bytes

        entries = {
            "format": FORMAT,
            "operators": [member.name for member in members(self.operator)],
            "size": list(self.photo.size),
            "sha256": self._digest,
            "bounds": {name: [p.low, p.high] for name, p in self.space.varying.items()},
            "fixed": dict(self.space.constant),
            "start": dict(self.start),
            "seed": self.seed,
            "choices": [asdict(choice) for choice in self.choices],
        }
        write_bytes(path, (json.dumps(entries, indent=2) + "\n").encode())

    @cached_property
    def _digest(self) -> str:
        return digest(self.photo.pixels)  # half a second for a large photo

    @property
    def _fixed(self) -> dict[str, float]:
        spec = self.operator.parameters_spec
        given = self.space.constant
        return {name: value for name, value in given.items() if value != spec[name].default}

    def _version(self, settings: Mapping[str, float]) -> Version:
        complete = {**self._constant, **settings}
        return Version(settings, render_full(self.operator, self._preview, complete))

    def _learn(self, choice: Choice) -> None:
        if choice.answer not in get_args(Answer):
            raise ParameterError(f"a choice must be left, right or same, got {choice.answer!r}")
        for shown in (choice.left, choice.right):
            if set(shown) != set(self.space.names):
                raise ParameterError(
                    f"a choice must be of {', '.join(self.space.names)}, got {', '.join(shown)}"
                )
            for name, parameter in self.space.varying.items():
                one_number(name, parameter, shown[name])
        left, right = (self.space.to_unit(shown) for shown in (choice.left, choice.right))
        self._taste.learn(left, right, choice.answer)
        self.choices.append(choice)

    def _replay(self, choices: Sequence[Choice]) -> None:
        self._taste = Taste(self._centre, self._metric, self.seed)
        self.choices = []
        for choice in choices:
            self._learn(choice)


def prefer(
    photo: ImageLike | Photo,
    operator: OperatorLike | None = None,
    *,
    scorer: ScorerLike | None = None,
    start: Start | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
    resume: str | PathLike[str] | None = None,
) -> Session:
    """Ask a person "left or right?" until the settings are theirs.

    The questions start at what `enhance.tune` finds, and every choice moves the optimum: see
    `enhance.preference.taste` for the model. No guards: the person sees what they choose.

    Args:
        photo: whatever `enhance.tune` takes.
        operator: what to set, as for `enhance.tune`.
        scorer: what judges the start, as for `enhance.tune`.
        start: a recipe, the name of a preset, or settings to start from instead, without a
            scorer. A recipe also names the operators, unless `operator` does.
        fixed: parameters that keep the given value.
        bounds: narrower bounds; also makes a parameter vary that by default does not.
        seed: the same seed and answers give the same questions.
        resume: a file that `Session.save` wrote for this photo; nothing else may then be given.

    Returns:
        A `Session`: `pair` to show, `choose` to answer, `result` for the recipe.

    Raises:
        RecipeError: the file to resume cannot be read, or is of another photo.
        ReadError, ImageError, UnknownNameError, ParameterError: as `enhance.tune` does.

    >>> import torch
    >>> session = prefer(torch.rand(3, 32, 48), "contrast", start={"contrast": 0.2})
    >>> pair = session.pair()
    >>> left, right = (version.settings["contrast"] for version in (pair.left, pair.right))
    >>> session.choose("left" if left > right else "right")
    >>> session.result().operators, session.settings["contrast"] > 0.2
    (('contrast',), True)
    """
    image = as_photo(photo)
    if resume is not None:
        if any(given is not None for given in (operator, scorer, start, fixed, bounds)) or seed:
            raise ParameterError("resume takes everything from its file, and nothing beside it")
        return _resume(image, resume)
    seed = check_seed(seed)
    operator, start = start_of(operator, start)
    chosen = resolve_operator(operator)
    space, point = starting_space(chosen, fixed, bounds, start)
    if point is None:
        found = tune(image, chosen, scorer, fixed=fixed, bounds=bounds, seed=seed)
        point = {name: found.settings.get(name, p.default) for name, p in space.varying.items()}
    return Session(image, chosen, space, point, seed)


def _resume(photo: Photo, path: str | PathLike[str]) -> Session:
    saved = read_session(path)
    try:
        if saved.size != photo.size:
            raise RecipeError(f"it is of a photo of {saved.size[1]} x {saved.size[0]} px")
        operator = resolve_operator(saved.operators)
        space = Space.of(operator, saved.fixed, saved.bounds)
        choices = [Choice(*choice) for choice in saved.choices]
        session = Session(photo, operator, space, saved.start, saved.seed, choices)
        if saved.sha256 is not None and saved.sha256 != session._digest:
            raise RecipeError("it is of another photo of the same size")
        return session
    except (RecipeError, ParameterError, UnknownNameError) as error:
        raise RecipeError(f"cannot read session {path}: {error}") from error
