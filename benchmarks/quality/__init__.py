"""Is the result better, by other standards than the scorer's own? Every method on the same photos.

    ENHANCE_DATA=folder python -m benchmarks.quality [--only fivek] [--photos 8] [--methods ...]
    python -m benchmarks.quality --render [NAME]  # the page anew, from the recorded figures

- ``fivek``: distance to what a retoucher (expert C) made of the same photo;
- ``recovery``: good photos damaged in tone, and how much of the damage is removed;
- ``lowlight``: badly lit photos without reference, and which guards the result breaks;
- ``kodak``: white noise, and dB lost against the best width of Turbo in hindsight;
- ``polyu``: real noise, and whether the result is closer to the clean photo.

None of these photos trained an embedded scorer or predictor, or selected one, but for FiveK: a
candidate scorer that did worse on it than the one before was not shipped.
"""
