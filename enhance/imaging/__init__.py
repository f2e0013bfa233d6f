"""Photos in and out: any common kind of image to a float tensor and back to the same kind.

`photo` takes what a caller holds (path, PIL image, array, tensor), `files` reads and writes
with the metadata kept, `tiling` works on photos too large to hold an operator's intermediates.
"""
