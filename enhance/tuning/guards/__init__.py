"""Do no harm: what a winning setting must also satisfy, beside a high score.

A guard is one small object, one a file here: it measures something on the untouched and the
enhanced views and compares it with a limit. Pass your own among ``guards=[...]``.
"""

from __future__ import annotations

from collections.abc import Iterable

from enhance.errors import ParameterError, unknown_name
from enhance.tuning.guards.banding import Banding
from enhance.tuning.guards.clipping import Clipping
from enhance.tuning.guards.colour import ColourShift
from enhance.tuning.guards.evidence import Evidence, Guard, GuardReport
from enhance.tuning.guards.halo import Halo
from enhance.tuning.guards.need import Need
from enhance.tuning.guards.noise import NoiseGain
from enhance.tuning.guards.score import Interval, Jitter, Worth
from enhance.tuning.guards.witness import Witness

__all__ = [
    "Banding",
    "Clipping",
    "ColourShift",
    "Evidence",
    "Guard",
    "GuardReport",
    "Halo",
    "Interval",
    "Jitter",
    "Need",
    "NoiseGain",
    "Witness",
    "Worth",
    "default_guards",
    "resolve_guards",
]


def default_guards() -> list[Guard]:
    """The guards that run unless the caller lists others; a list to add to.

    `Need` and `Worth`, whose limits are in points of the embedded tone scorer, abstain with any
    other and where the operator cannot leave the photo as it is; `Witness` abstains where there is
    no second scorer.

    >>> need, worth, *others = default_guards()
    >>> need.name, worth.name
    ('need', 'worth')
    """
    return [
        Need(tone_only=True),
        Worth(tone_only=True),
        Interval(),
        Jitter(),
        Clipping(),
        NoiseGain(),
        Halo(),
        Banding(),
        ColourShift(),
        Witness(),
    ]


def resolve_guards(guards: str | Guard | Iterable[str | Guard] | None) -> list[Guard]:
    """Guards from names and objects, or from one of them; None means the default ones.

    Raises:
        UnknownNameError: no guard has this name.
        ParameterError: something that is neither a name nor a guard.
    """
    if guards is None:
        return default_guards()
    return [_resolve(guard) for guard in _listed(guards)]


def _listed(guards: str | Guard | Iterable[str | Guard]) -> Iterable[str | Guard]:
    if isinstance(guards, str) or not isinstance(guards, Iterable):
        return [guards]
    return guards


def _resolve(guard: str | Guard) -> Guard:
    if isinstance(guard, str):
        known = {default.name: default for default in default_guards()}
        if guard not in known:
            raise unknown_name("guard", guard, known)
        return known[guard]
    if isinstance(guard, type):
        raise ParameterError(f"a guard must be an object, got the class {guard.__name__}: add ()")
    if callable(getattr(guard, "check", None)) and hasattr(guard, "name"):
        return guard
    raise ParameterError(f"a guard must have a name and a check, got {guard!r}")
