"""Several operators as one: each works on what the one before it rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from enhance.errors import ParameterError
from enhance.operators.base import Operator, Settings, check_names
from enhance.operators.batching import broadcast_shapes
from enhance.operators.rendering import render_full


@dataclass(frozen=True)
class ChainLayers:
    """The first operator's layers; later ones depend on settings and come with rendering."""

    first: Any
    settings: Settings
    extent: tuple[int, int]


class Chain(Operator[ChainLayers]):
    """Operators applied in turn, as one operator.

    A chain among them counts as its members, unless it has a name of its own.

    Parameters keep their plain name where only one member has it, or only one is tuned under it;
    else they are called ``operator.parameter``, and a member that occurs twice is numbered:
    ``laplacian2.detail``. Where a member's plain name is what another's would be called so, it is
    not plain either: ``tone.laplacian.saturation`` beside a Laplacian.

    Raises:
        ParameterError: no operator is given, or two parameters would have one name all the same.

    >>> from enhance.operators.registry import get
    >>> chain = Chain([get("turbo"), get("laplacian")])
    >>> chain.name, "sigma_s" in chain.parameters_spec, "detail" in chain.parameters_spec
    ('turbo+laplacian', True, True)
    >>> import torch
    >>> chain(torch.rand(1, 3, 16, 16), detail=torch.tensor([0.0, 1.0])).shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(self, operators: Sequence[Operator[Any]]) -> None:
        super().__init__()
        operators = [part for member in operators for part in _parts(member)]
        if not operators:
            raise ParameterError("a chain must hold at least one operator, got none")
        self.operators = nn.ModuleList(operators)
        self.name = "+".join(member.name for member in operators)  # type: ignore[misc]
        self.summary = ", then ".join(member.summary for member in operators)  # type: ignore[misc]
        self.differentiable = all(m.differentiable for m in operators)  # type: ignore[misc]
        # a member that must see pixels as they are decides for all
        native = any(member.views == "native" for member in operators)
        views: Literal["whole", "native"] = "native" if native else "whole"
        self.views = views  # type: ignore[misc]
        self._names = _chain_names(operators)
        self.parameters_spec = {
            chained: member.parameters_spec[own]
            for member, names in zip(operators, self._names, strict=True)
            for own, chained in names.items()
        }
        check_names(self.parameters_spec)
        self.identity = self._joint_identity()

    @property
    def members(self) -> list[Operator[Any]]:
        """The operators, in the order in which they work."""
        return list(self.operators)  # type: ignore[arg-type]

    @property
    def names(self) -> Sequence[Mapping[str, str]]:
        """For each member, its own parameter names and what the chain calls them."""
        return self._names

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> ChainLayers:
        """Analyse for the first operator; the others need what it renders."""
        if settings is None:
            settings = self.complete({}, like=image)
        first = self.members[0].analyse(image, self._own(0, settings), extent=extent)
        height, width = image.shape[-2:]
        return ChainLayers(first, settings, extent or (height, width))

    def render(self, layers: ChainLayers, settings: Settings) -> Tensor:
        """Render the first operator, then analyse and render each of the others."""
        image = self.members[0].render(layers.first, self._own(0, settings))
        for index, member in enumerate(self.members[1:], start=1):
            spec = member.parameters_spec
            rendered = self._own(index, settings)
            own = {
                name: self._own(index, layers.settings)[name]
                if spec[name].stage == "analyse"
                else value
                for name, value in rendered.items()
            }
            image = _apply(member, image, own, layers.extent)
        return image

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Ask the photo on behalf of each operator, on what those before it make of the photo.

        The answer to an operator that is not the first depends on the settings of those before.
        """
        answered = dict(settings)
        asking = [n for n, m in enumerate(self.members) if _asks(m)]
        for index, member in enumerate(self.members[: max(asking, default=-1) + 1]):
            own = member.calibrate(image, self._own(index, settings))
            names = self._names[index]
            answered.update({names[name]: value for name, value in own.items()})
            if index < asking[-1]:
                image = render_full(member, image, own)
        return answered

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Context of all operators together."""
        return sum(
            member.halo(extent, None if settings is None else self._own(index, settings))
            for index, member in enumerate(self.members)
        )

    def _own(self, index: int, settings: Settings) -> dict[str, Tensor]:
        """The settings of one member, under its own names."""
        return {own: settings[chained] for own, chained in self._names[index].items()}

    def _joint_identity(self) -> Mapping[str, float] | None:
        joint: dict[str, float] = {}
        for member, names in zip(self.members, self._names, strict=True):
            if member.identity is None:
                return None
            joint.update({names[own]: value for own, value in member.identity.items()})
        return joint


def leaves(
    operator: Operator[Any],
) -> list[tuple[Operator[Any], Mapping[str, str]]]:
    """The operators that do the work, in order: one, or those of a chain and of chains within.

    Returns:
        Each operator, with its own parameter names and what `operator` calls them.

    >>> from enhance.operators.registry import get
    >>> for leaf, names in leaves(get("laplacian")):
    ...     print(leaf.name, names["detail"])
    laplacian detail
    """
    if not isinstance(operator, Chain):
        return [(operator, {name: name for name in operator.parameters_spec})]
    return [
        (leaf, {own: outer[name] for own, name in inner.items()})
        for member, outer in zip(operator.members, operator.names, strict=True)
        for leaf, inner in leaves(member)
    ]


def _parts(member: Operator[Any]) -> list[Operator[Any]]:
    return member.members if type(member) is Chain else [member]


def _asks(member: Operator[Any]) -> bool:
    """Whether the photo can tell it anything."""
    return any(type(leaf).calibrate is not Operator.calibrate for leaf, _ in leaves(member))


def _apply(
    member: Operator[Any], image: Tensor, settings: Settings, extent: tuple[int, int]
) -> Tensor:
    """Analyse and render an image ``(..., 3, H, W)`` with any number of leading dimensions."""
    deepest = max(
        (settings[n].ndim for n, p in member.parameters_spec.items() if p.stage == "analyse"),
        default=0,
    )
    if image.ndim == 4 and deepest <= 1:  # one analysis serves all renderings of an image
        return member.render(member.analyse(image, settings, extent=extent), settings)
    shape = broadcast_shapes(image.shape[:-3], *(v.shape for v in settings.values()))
    flat = image.expand(*shape, *image.shape[-3:]).flatten(end_dim=-4)
    own = {name: value.expand(shape).reshape(-1) for name, value in settings.items()}
    rendered = member.render(member.analyse(flat, own, extent=extent), own)
    return rendered.reshape(*shape, *image.shape[-3:])


def _chain_names(operators: Sequence[Operator[Any]]) -> list[dict[str, str]]:
    """For each member, its own parameter names and what the chain calls them."""
    tuned, uses = Counter[str](), Counter[str]()
    for member in operators:
        uses.update(list(member.parameters_spec))
        tuned.update(name for name, p in member.parameters_spec.items() if p.tuned)
    prefixes = _prefixes([member.name for member in operators])
    names = [
        {
            own: own
            if uses[own] == 1 or (parameter.tuned and tuned[own] == 1)
            else f"{prefix}.{own}"
            for own, parameter in member.parameters_spec.items()
        }
        for member, prefix in zip(operators, prefixes, strict=True)
    ]
    # a member that is a chain itself has names with a point, which may be those of another member
    while shared := {name for name, n in _count(names).items() if n > 1}:
        plain = [(own, n) for n, of in enumerate(names) for own in of if own == of[own] in shared]
        if not plain:
            raise ParameterError(
                f"parameters of a chain must have different names, got {min(shared)} twice"
            )
        for own, n in plain:
            names[n][own] = f"{prefixes[n]}.{own}"
    return names


def _prefixes(names: Sequence[str]) -> list[str]:
    """What stands before a member's parameters: its name, from the second such on with a number."""
    prefixes: list[str] = []
    for name in names:
        prefix, number = name, 1
        # a numbered name may be the whole name of another operator
        while prefix in prefixes or (number > 1 and prefix in names):
            number += 1
            prefix = f"{name}{number}"
        prefixes.append(prefix)
    return prefixes


def _count(names: Sequence[Mapping[str, str]]) -> Counter[str]:
    return Counter(chained for of in names for chained in of.values())
