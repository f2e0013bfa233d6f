"""Writes docs/restoration.md from what was measured: ``python -m docs.restoration``.

Reads what `python -m examples.restoration --json FILE` and `scorers audit --json` wrote into
docs/benchmarks/restoration and docs/benchmarks/audit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from examples.restoration.table import AFFORDABLE, answers, lines

TARGET = Path(__file__).with_suffix(".md")
RUNS = Path(__file__).parent / "benchmarks" / "restoration"
AUDITS = Path(__file__).parent / "benchmarks" / "audit"
SHOWN = {
    "whole": "As each scorer's card says a photo is to be shown",
    "native": "Squares of the photo as it is (`--native`), which is what `NIMALoss` shows",
}
HEAD = """# NIMA as a loss: does it help?

NIMA's authors trained an enhancer with it (Talebi and Milanfar 2018, *Learned perceptual image
enhancement*). Kostyshyn (2020, *On Methods of Estimation of Image Aesthetic*) doubts that it can
work: he found NIMA right on 64 % of pairs with motion blur, 60 % with haze and 57 % with moire,
looking at the corners of photos. Two commands of this project measure both sides.

**In short: hardly.** Beside L1, NIMA raises its own score by hundredths of a rating, at up to .06
dB of PSNR; the scorers held out gain less than a hundredth, or nothing that can be told from zero.
A guard that forbids losing fidelity also takes nearly all of the gain: most of what NIMA rewards is
not fidelity. That a photo looks better to people was not measured.

## Use

```python
import scorers
from scorers.losses import Ramp

looks = scorers.NIMALoss("nima-technical", crops=2, weight=Ramp(1e-3, start=1000, steps=1000))
loss = fidelity(restored, clean) + looks(restored)  # an ordinary loss, for images of any size

guarded = scorers.GuardedNIMALoss(looks)  # L1 and NIMA, where NIMA may not work against L1
loss = guarded(restored, clean)
```

| wanted | how |
|---|---|
| no reward beyond a good score | `target=5.5` |
| opinions like these | `target=opinion`, ten shares: the earth mover's distance to them |
| tone as well as detail | `whole=1`: cuts of nearly the whole image, shrunk by the scorer |
| some photos to count more | `looks(restored, weights)` |
| less memory | `checkpoint=1`: one view at a time, judged again in backward |
| less time | `precision=torch.bfloat16` |
| a weight that means something | `scorers.losses.balance.balanced_weight` |

A detached image, a range of 0..255 or [-1, 1], a scorer in training mode or not frozen, a gradient
of zero and a loss that is maximised are refused, each in one line that says what to do.

## Training, measured

```
python -m examples.restoration --small --json docs/benchmarks/restoration/small.json
python -m examples.restoration --device cuda --train photos/ --test others/   # the GPU form
```

A small network (231,492 parameters, NAFNet's blocks in a U-Net) learns L1 on scikit-image's
photos, and from there on is trained by each loss for equally many steps on the same patches: noise
of std 25/255, or a Gaussian blur of std 1.6 px with noise of std 2/255. The second term of each
loss starts at the stated share of L1's gradient (`--strength`). *Perceptual* compares features of
NIMA's backbone with those of the clean photo. Recorded runs add `--test kodak24/`, one square of
224 px a photo, and published scorers with `--held-out`; all scorers judge at native size.
*Disagrees*: on this share of photos the scorer held out and NIMA do not agree whether the result
looks better than L1's.
"""
MIDDLE = """
*Helps* is a rule: the 95 % intervals of the change against L1, paired by photo, lie above 0 for
NIMA and every scorer held out, and PSNR loses {limit} dB at most.

## Where the answer is no

- **The effect is small.** Less than a tenth of a rating, on a scale of ten where ratings of one
  photo spread by more than one. Where intervals exclude zero, it is because changes are paired, not
  because they are large.
- **Raising NIMA is not evidence.** A loss raises what it is. Scorers held out gain a fraction of
  it, or nothing.
- **A judge can be unfit as well.** At native size the published scorers give the damaged photos of
  both tasks a higher score than any restored one, and so does nima-aesthetic the noisy ones:
  neither their doubt nor their consent says much. nima-aesthetic, idealo-aesthetic and the loss
  itself have one ancestor, so their agreement says less than that of strangers would. The audit
  below tells which scorer sees which damage.
- **The guard keeps PSNR, and little else remains.** Projected in windows of 8 px and limited to
  what L1 alone reaches on the patch, NIMA gains a sixth or less of what it gains unguarded.
- **The network is small and not trained to the end**: half an hour of one core for a run, judging
  included, and about 4 dB below published denoisers at this noise. Whether a converged network
  gains or loses is not answered here; the GPU form is there to ask, and was run on no GPU yet.

## Is a scorer fit to be a loss? The audit

```
scorers audit --synthesise blur noise jpeg haze moire
scorers audit --pairs folder/          # folder/better, and folder/haze, folder/rain ...
```

Pairs in order with their exact 95 % interval; after the semicolon, the share of pairs in which the
score's gradient at the damaged photo leads towards the clean one. A tie counts as right here, and
not in the sentence below the table. As a loss a scorer is followed
rather than asked, so both count. The command also prints how scores differ and which photos are
wrong, and writes attributions of wrong pairs with their share on the border (needs captum).
"""
TAIL = """
Damage is synthetic: Gaussian blur of std 1 to 3 px, noise of std 10 to 40 of 255, JPEG of quality
10 to 40, haze by the scattering model on made-up depth, moire by photographing a simulated screen.
The thesis' pairs are others; measure yours with `--pairs`.

A learned operator, a network that answers an operator's settings with NIMA as its only teacher, is
[examples/learned_operator.py](gallery.md#learned_operator).

This page is written by `python -m docs.restoration` from the recorded runs.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, training(), MIDDLE.format(limit=AFFORDABLE), audit(), TAIL])


def training() -> str:
    """Every recorded comparison of losses, a table and its answers for each task."""
    blocks = []
    for path in sorted(RUNS.glob("*.json")):
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        nima, others = record["nima"], record["others"]
        for task, results in record["tasks"].items():
            head = (
                f"### {task.capitalize()}, second term at {record['strength']:g} of L1's gradient"
            )
            said = [f"- {sentence}" for sentence in answers(results, nima, others)]
            blocks += [head, "", *lines(results, nima, others), "", *said, ""]
        weights = ", ".join(f"{name} `{sha[:12]}`" for name, sha in record["weights"].items())
        blocks += [f"{record['photos']} photos never trained on. Weights: {weights}.", ""]
    return "\n".join(blocks).strip()


def audit() -> str:
    """Pair accuracies of every scorer for every damage, and the sentence on each."""
    blocks = []
    for shown, head in SHOWN.items():
        found: dict[str, Any] = {}
        for path in sorted(AUDITS.glob(f"{shown}-*.json")):
            found |= json.loads(path.read_text(encoding="utf-8"))
        if not found:
            continue
        pairs = {
            figures["pair accuracy"]["n"]
            for one in found.values()
            for figures in one["figures"].values()
        }
        counts = " or ".join(map(str, sorted(pairs)))
        names = list(next(iter(found.values()))["figures"])
        table = [["damage", *names], ["---"] * (len(names) + 1)]
        for damage, one in found.items():
            table.append([damage, *(cell(one["figures"][name]) for name in names)])
        said = [f"- {sentence}" for one in found.values() for sentence in one["sentences"]]
        blocks += [f"### {head}; {counts} pairs", ""]
        blocks += [f"| {' | '.join(row)} |" for row in table] + ["", *said, ""]
    return "\n".join(blocks).strip()


def cell(figures: dict[str, Any]) -> str:
    """Share of pairs in order with its interval, and share of gradients that lead there."""
    right, gradient = figures["pair accuracy"], figures.get("gradient towards the better")
    text = f"{right['value']:.0%} [{right['low']:.0%}, {right['high']:.0%}]"
    return text + (f"; {gradient['value']:.0%}" if gradient else "")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
