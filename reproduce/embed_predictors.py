"""Embed trained predictors: one trunk for all of them, and a small file for each operator.

python -m reproduce.embed_predictors runs/instant/{tone,laplacian}.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from enhance.tuning.predictor import WEIGHTS, load_predictor, save_predictor, save_trunk


def main() -> None:
    """Write ``trunk.safetensors`` and the predictors, which must share the trunk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictors", nargs="+", type=Path, help="OPERATOR.safetensors")
    paths = parser.parse_args().predictors
    networks = [load_predictor(path) for path in paths]
    shared = networks[0].trunk.state_dict()
    for path, network in zip(paths, networks, strict=True):
        own = network.trunk.state_dict()
        if not all(torch.equal(own[name], value) for name, value in shared.items()):
            raise SystemExit(f"{path} has a trunk of its own; train it with --from {paths[0]}")
        save_predictor(network, WEIGHTS / path.name, trunk=False)
    save_trunk(networks[0], WEIGHTS)


if __name__ == "__main__":
    main()
