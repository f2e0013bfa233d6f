"""Is the result better, by other standards than the scorer's own? Every method on the same photos.

    ENHANCE_DATA=folder python -m benchmarks.quality [--only fivek] [--photos 8] [--methods ...]

- ``fivek``: distance to what a retoucher (expert C) made of the same photo;
- ``recovery``: good photos damaged in tone, and how much of the damage is removed;
- ``lowlight``: badly lit photos without reference, and which guards the result breaks;
- ``kodak``: white noise, and dB lost against the best width of Turbo in hindsight;
- ``polyu``: real noise, and whether the result is closer to the clean photo.

None of these photos trained or selected an embedded scorer or predictor.
"""
