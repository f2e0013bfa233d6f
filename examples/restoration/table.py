"""The measured figures as a table, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from examples.restoration.losses import NAMES
from examples.restoration.measuring import Figures, disagreement
from scorers.evaluation.figure import Figure, bootstrap

AFFORDABLE = 0.3  # dB that looking better may cost

Results = Mapping[str, Figures]
"""Figures of the spoilt photos (``"given"``) and of each loss, by name."""


def lines(results: Results, nima: str, others: Sequence[str]) -> list[str]:
    """A Markdown table of one task: means over photos, a row for each loss.

    Args:
        nima: the scorer that was the loss.
        others: scorers held out.
    """
    head = ["", "PSNR, dB", "SSIM", f"{nima}, the loss"]
    for other in others:
        head += [f"{other}, held out", "disagrees"]
    rows = [head, ["---"] * len(head)]
    for name, figures in results.items():
        row = [name, f"{mean(figures['PSNR']):.2f}", f"{mean(figures['SSIM']):.4f}"]
        row.append(f"{mean(figures[nima]):.3f}")
        for other in others:
            row.append(f"{mean(figures[other]):.3f}")
            compared = name not in ("given", NAMES[0])
            share = disagreement(figures, results[NAMES[0]], nima, other) if compared else None
            row.append("" if share is None else f"{share:.0%}")
        rows.append(row)
    return [f"| {' | '.join(row)} |" for row in rows]


def mean(values: Sequence[float]) -> float:
    """Of one figure over photos."""
    return float(np.mean(values))


def change(results: Results, name: str, figure: str) -> Figure:
    """How much a loss changes a figure against L1 for equally many steps, paired by photo."""
    return bootstrap(
        lambda a, b: float((a - b).mean()), results[name][figure], results[NAMES[0]][figure]
    )


def answers(results: Results, nima: str, others: Sequence[str]) -> list[str]:
    """One sentence a loss: does it help, by the rule that it raises every scorer and costs little?

    It *helps* if the intervals of the change of NIMA and of every scorer held out lie above 0,
    and the mean loss of PSNR is at most `AFFORDABLE`.
    """
    said = []
    for name in list(results)[2:]:
        fidelity = change(results, name, "PSNR")
        opinions = {judge: change(results, name, judge) for judge in (nima, *others)}
        reasons = [f"{judge} does not gain" for judge, c in opinions.items() if not c.low > 0]
        if fidelity.value < -AFFORDABLE:
            reasons.append(f"it costs more than {AFFORDABLE} dB")
        verdict = f"does not help: {', '.join(reasons)}" if reasons else "helps"
        changes = [f"PSNR {_signed(fidelity)} dB"]
        changes += [f"{judge} {_signed(c)}" for judge, c in opinions.items()]
        said.append(f"{name} {verdict} ({'; '.join(changes)}).")
    return said


def _signed(figure: Figure) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
