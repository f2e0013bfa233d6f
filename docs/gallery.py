"""Writes docs/gallery.md and its pictures: ``python docs/gallery.py [EXAMPLE...]``.

Each example is run, with the embedded scorers, in a process of its own; none given, all are.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

TARGET = Path(__file__).with_suffix(".md")
PICTURES = Path(__file__).parent / "pictures" / "gallery"
EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
WIDTH = 1000
HEAD = """# Gallery

Each program takes under a minute on two idle cores and ends in the picture below it; the tests run
each of them. `python docs/gallery.py` makes the pictures and this page.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(section, EXAMPLES)])


def section(example: Path) -> str:
    """One example: what it is about, its code, its picture."""
    name = example.stem
    about = (ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or "").splitlines()
    return f"""## {name}

{about[0]}

![What {name} ends in](pictures/gallery/{name}.jpg)

``` {{ .python }}
--8<-- "examples/{name}.py"
```
"""


def run(example: Path) -> None:
    """Run an example, keep its picture, and say how long it took."""
    before, began = os.times(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, example], cwd=folder, check=True)
        with Image.open(Path(folder) / f"{example.stem}.png") as picture:
            shown = picture.convert("RGB")
    shown.thumbnail((WIDTH, WIDTH))
    PICTURES.mkdir(parents=True, exist_ok=True)
    shown.save(PICTURES / f"{example.stem}.jpg", quality=88)
    after = os.times()
    spent = sum(after[2:4]) - sum(before[2:4])
    print(f"{example.stem}: {time.perf_counter() - began:.0f} s, {spent:.0f} s of processor time")


def main(names: Sequence[str]) -> None:
    """Run the examples of these names, or all, and write the page."""
    for example in EXAMPLES:
        if not names or example.stem in names:
            run(example)
    TARGET.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
