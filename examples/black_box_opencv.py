"""A function of another library as an operator: OpenCV's non-local means, tuned for one photo."""

import cv2
import numpy as np
from skimage import data

import enhance
from enhance.comparison import save_before_after
from enhance.operators.base import Parameter
from enhance.operators.blackbox import black_box


def denoise(pixels, h, h_colour):
    return cv2.fastNlMeansDenoisingColored(pixels, None, h, h_colour, 5, 11)


NlMeans = black_box(
    denoise,
    {
        "h": Parameter(1, 20, 3, "strength in light", levels=6),
        "h_colour": Parameter(1, 20, 3, "strength in colour", levels=6),
    },
    name="opencv_nlm",
    summary="denoising by OpenCV's fast non-local means",
    views="native",  # noise shows at full size only
    reach=8,  # half the search window and half the template
)
enhance.register(NlMeans)  # now known by its name, also to recipes

clean = data.coffee()
noise = 12 * np.random.default_rng(0).standard_normal(clean.shape)
noisy = (clean + noise).round().clip(0, 255).astype(np.uint8)
result = enhance.tune(noisy, operator="opencv_nlm", crops=8)
print(result)
save_before_after(noisy, result.image, "black_box_opencv.png")
