"""`scorers export`: a scorer as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    name: Annotated[
        str, typer.Argument(metavar="NAME|PATH", help="A scorer; `scorers list` has the names.")
    ],
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Where the .onnx file goes.")],
) -> None:
    """Write a scorer as ONNX, and compare what ONNX Runtime makes of it with PyTorch.

    Its input is a batch of photos resized as the card says, its output their opinions.
    """
    from scorers.convert.onnx import export_onnx
    from scorers.zoo import load

    scorer = load(name)
    difference = export_onnx(scorer, output)
    side = scorer.view_size
    print(f"{output}  image (B, 3, {side}, {side}) -> opinion (B, {len(scorer.buckets)})")
    print(f"  opinions within {difference:.1e} of PyTorch's")
