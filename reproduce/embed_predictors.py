"""Embed trained predictors: a small file for each operator, beside the tone scorer's trunk.

python -m reproduce.embed_predictors runs/instant/{tone,laplacian}.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from enhance.tuning.predictor import WEIGHTS, load_predictor, save_predictor, shared_trunk


def main() -> None:
    """Write the predictors without their trunk, which must be that of the tone scorer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictors", nargs="+", type=Path, help="OPERATOR.safetensors")
    shared = shared_trunk()
    for path in parser.parse_args().predictors:
        network = load_predictor(path)
        own = network.state_dict()
        if not all(torch.allclose(own[n], v, atol=1e-3) for n, v in shared.items()):
            raise SystemExit(f"{path} has a trunk of its own, which is not that of the scorer")
        save_predictor(network, WEIGHTS / path.name, trunk=False)


if __name__ == "__main__":
    main()
