"""A learned operator: a small network looks at a photo once and answers settings, taught by NIMA.

Nobody says which settings are right. Light, contrast and colour are rendered at the settings that
the network answers, NIMA judges what came out, and its gradient goes back through the operator.
What keeps it sane is the restraint: every setting away from the default costs.
"""

import torch
import torch.nn.functional as F
from skimage import data

import scorers
from enhance.comparison import save_before_after
from enhance.operators.resolve import resolve_operator
from enhance.tuning.space import Space
from scorers.photos.damage import CAMERA, sample_damage

RESTRAINT = 2.0  # ratings that a setting at the end of its bounds costs
generator = torch.Generator().manual_seed(0)
torch.manual_seed(0)
operator = resolve_operator(["exposure", "contrast", "saturation"])
space = Space.of(operator, {"vibrance": 0})
looks = scorers.NIMALoss(crops=0)  # judged whole: tone is a matter of the whole photo


def tensor(photo):
    return torch.from_numpy(photo.copy()).permute(2, 0, 1)[None] / 255


def crop(photo):
    """A random square of at least 60 % of a photo, as the scorer sees it."""
    side = int(min(photo.shape[-2:]) * (0.6 + 0.4 * float(torch.rand((), generator=generator))))
    room = torch.tensor(photo.shape[-2:]) - side + 1
    top, left = (torch.rand(2, generator=generator) * room).long().tolist()
    return F.interpolate(photo[..., top : top + side, left : left + side], (224, 224), mode="area")


def flat(photos):
    """Photos as they are before anybody has developed them: too dark, flat, pale."""
    return sample_damage(len(photos), generator, kinds=CAMERA, keep=0.7)(photos)


class Eye(torch.nn.Module):
    """Photos ``(B, 3, H, W)`` to points of the unit cube of settings; untrained, the default."""

    def __init__(self):
        super().__init__()
        layers = [torch.nn.Conv2d(i, o, 3, 2, 1) for i, o in ((3, 16), (16, 32), (32, 32))]
        self.see = torch.nn.Sequential(*(f for layer in layers for f in (layer, torch.nn.GELU())))
        self.answer = torch.nn.Linear(32 * 8 * 8, len(space.names))
        torch.nn.init.zeros_(self.answer.weight)
        torch.nn.init.zeros_(self.answer.bias)

    def forward(self, photos):
        seen = self.see(F.interpolate(photos, (64, 64), mode="area") - 0.5)
        return torch.sigmoid(space.defaults().float().logit() + self.answer(seen.flatten(1)))


def render(photos, points):
    settings = {name: value.to(photos) for name, value in space.settings(points.double()).items()}
    return operator.render(operator.analyse(photos, settings), settings)


learn = [tensor(photo) for photo in (data.astronaut(), data.chelsea(), data.coffee())]
eye = Eye()
optimiser = torch.optim.Adam(eye.parameters(), lr=0.002)
for step in range(46):
    chosen = torch.randint(len(learn), (4,), generator=generator).tolist()
    given = flat(torch.cat([crop(learn[i]) for i in chosen]))
    points = eye(given)
    away = (2 * (points - space.defaults().float())).square().mean()
    loss = looks(render(given, points)) + RESTRAINT * away
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 15 == 0:
        print(f"step {step}: loss {loss.item():.3f}, settings away by {away.item():.4f}")

unseen = tensor(data.rocket())
given = flat(unseen)
with torch.no_grad():
    point = eye(given)
    result = render(given, point).clamp(0, 1)
    before, after = (10 - looks(photo).item() for photo in (given, result))
print({name: round(value, 3) for name, value in space.describe(point[0].double()).items()})
print(f"a photo it never saw: NIMA {before:.3f} -> {after:.3f}")
errors = [(photo - unseen).abs().mean().item() for photo in (given, result)]
print(f"mean distance from the photo before it was spoilt: {errors[0]:.4f} -> {errors[1]:.4f}")
save_before_after(given, result, "learned_operator.png")
