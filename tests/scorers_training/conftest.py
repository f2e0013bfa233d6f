"""A small world in which brightness is beauty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BROKEN = 2


@pytest.fixture(scope="session")
def rated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty readable photos, the brighter the better; one that is missing, one that is cut off."""
    folder = tmp_path_factory.mktemp("rated")
    generator = np.random.default_rng(0)
    rows = ["filename,mean,std"]
    for i in range(40):
        level = generator.uniform(0.1, 0.9)
        pixels = np.clip(level + generator.normal(0, 0.1, (40, 48, 3)), 0, 1) * 255
        Image.fromarray(pixels.astype("uint8")).save(folder / f"p{i:02d}.png")
        rows.append(f"p{i:02d}.png,{2 + 7 * level:.3f},1.4")
    (folder / "cut.png").write_bytes((folder / "p00.png").read_bytes()[:1500])
    rows += ["gone.png,5,1.4", "cut.png,5,1.4"]
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")
    return folder
