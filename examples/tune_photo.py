"""Tune the tone of a photo, and see how its score depends on each setting."""

from skimage import data

import enhance

photo = (data.coffee() * 0.6).astype("uint8")  # too dark; a path, a PIL image, a tensor will do
result = enhance.tune(photo, operator="laplacian")
print(result)
for guard in result.guards:
    print(f"  {guard.name} {guard.status}: {guard.finding}")

result.recipe.save("tune_photo.json")
result.plot().savefig("tune_photo.png")
