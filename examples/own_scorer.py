"""A scorer of your own: any function from photos to one number each, higher better."""

from skimage import data

import enhance
from enhance.comparison import save_before_after


def colourful_and_bright(images):
    """Colourfulness after Hasler and Suesstrunk (2003), less the distance from middle grey."""
    red, green, blue = images.unbind(1)
    first, second = red - green, (red + green) / 2 - blue
    spread = (first.var((1, 2)) + second.var((1, 2)) + 1e-6).sqrt()
    shift = (first.mean((1, 2)) ** 2 + second.mean((1, 2)) ** 2 + 1e-6).sqrt()
    return 10 * (spread + 0.3 * shift - (images.mean((1, 2, 3)) - 0.5).abs())


photo = data.rocket()
result = enhance.tune(photo, operator="laplacian", scorer=colourful_and_bright)
print(result)
save_before_after(photo, result.image, "own_scorer.png")
