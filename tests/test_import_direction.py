"""Imports point one way: from what people call down to what it is made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import enhance

ROOT = Path(enhance.__file__).parents[1]

# each may import what stands before it, and itself; names on one line must not import each other
ENHANCE = [
    ["errors", "process_wide"],
    ["atomic"],
    ["imaging"],
    ["operators"],
    ["recipe", "preview"],
    ["presets", "replay", "lut", "comparison", "testing"],
    ["tuning"],
    ["batch", "judging", "preference", "studio"],
    ["report"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
SCORERS = [
    ["errors"],
    ["opinion", "preprocess", "backbones"],
    ["nima", "adapters"],
    ["card"],
    ["weights_file"],
    ["scorer"],
    ["convert"],
    ["zoo"],
    ["fetch", "losses", "personal"],
    ["photos", "ratings"],
    ["evaluation"],
    ["training", "explain"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
UPWARDS = {("tuning.result", "report.notebook")}  # a result shows itself in a notebook


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Module and imported module, below `package`, wherever in a file; not those for types only."""
    for path in sorted((ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / package).with_suffix("").parts)
        pending: list[ast.AST] = [ast.parse(path.read_text())]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                continue
            pending += ast.iter_child_nodes(node)
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    known = (ROOT / full.replace(".", "/")).is_dir() or (
                        ROOT / f"{full.replace('.', '/')}.py"
                    ).is_file()
                    yield module, full if known else node.module
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield module, alias.name


@pytest.mark.parametrize(("package", "layers"), [("enhance", ENHANCE), ("scorers", SCORERS)])
def test_imports_point_one_way(package: str, layers: list[list[str]]) -> None:
    rank = {name: place for place, names in enumerate(layers) for name in names}
    against = []
    for importer, imported in imports(package):
        if imported.split(".")[0] != package:
            continue
        target = imported.removeprefix(package).removeprefix(".") or "__init__"
        here, there = importer.split(".")[0], target.split(".")[0]
        if here == there or (importer, target) in UPWARDS:
            continue
        if rank[there] >= rank[here]:
            against.append(f"{package}.{importer} imports {package}.{target}")
    assert not against


def test_scorers_know_nothing_of_what_they_judge() -> None:
    assert not [pair for pair in imports("scorers") if pair[1].split(".")[0] == "enhance"]
