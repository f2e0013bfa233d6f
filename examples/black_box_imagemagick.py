"""A command line as an operator: ImageMagick's tone and colour, tuned for one photo."""

import shutil

import numpy as np
from skimage import data

import enhance
from enhance.comparison import save_before_after
from enhance.operators.base import Parameter
from enhance.operators.command import command

program = "magick" if shutil.which("magick") else "convert"  # version 7, or before
ImageMagick = command(
    program + " {input} -sigmoidal-contrast {contrast:.2f}x50% "
    "-modulate {brightness:.1f},{saturation:.1f} {output}",
    {
        "contrast": Parameter(0, 8, 0, "steepness of the curve"),
        "brightness": Parameter(70, 130, 100, "light", unit="%"),
        "saturation": Parameter(60, 160, 100, "colour", unit="%"),
    },
    name="imagemagick",
    summary="contrast, brightness and saturation by ImageMagick",
    reach=0,  # each pixel on its own, so large photos are worked on in tiles
    identity={},
)
enhance.register(ImageMagick)  # now known by its name, also to recipes

photo = (60 + 0.4 * data.coffee()).astype(np.uint8)  # flat and pale
result = enhance.tune(photo, operator="imagemagick", crops=2)  # a process each time
print(result)
save_before_after(photo, result.image, "black_box_imagemagick.png")
