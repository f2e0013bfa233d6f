"""An operator of your own in one class: registered, it is tuned like any other."""

import numpy as np
import torch
from skimage import data

import enhance
from enhance.comparison import save_before_after
from enhance.operators.base import Operator, Parameter


@enhance.register
class Warmth(Operator[torch.Tensor]):
    """Moves colour between blue and orange."""

    name = "warmth"
    summary = "colour temperature, by gains of red and blue"
    identity = {}
    parameters_spec = {"warmth": Parameter(-1, 1, 0, "blue at -1, orange at 1")}

    def analyse(self, image, settings=None, *, extent=None):
        return image

    def render(self, layers, settings):
        warmth = 0.2 * settings["warmth"][..., None, None]
        red, green, blue = layers.unbind(-3)
        scaled = (1 + warmth) * red, green.expand_as(warmth * green), (1 - warmth) * blue
        return torch.stack(scaled, -3).clamp(0, 1)


photo = (data.coffee() * [0.45, 0.55, 0.65]).astype(np.uint8)  # too dark, and too blue
result = enhance.tune(photo, operator=["warmth", "laplacian"])
print(result)
save_before_after(photo, result.image, "own_operator.png")
