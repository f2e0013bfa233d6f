"""The checkpoint of a training run: read whole, and only for the run that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from scorers.errors import InputError, WeightsError

State = dict[str, Any]

_ENTRIES = {"identity", "step", "stage", "network", "optimiser", "scaler", "best"}


def read_checkpoint(
    path: Path, identity: Mapping[str, str], network: nn.Module, device: torch.device
) -> State:
    """Read what a run has saved, and fill its network.

    Args:
        identity: what the checkpoint must have been made with.
        network: filled in place.
        device: where tensors go.

    Raises:
        WeightsError: damaged, or the checkpoint of another program.
        InputError: another run's.
    """
    try:
        state: State = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises whatever its zip and pickle readers do
        raise WeightsError(f"cannot read {path}: damaged; remove it to start anew") from error
    if not isinstance(state, dict) or not set(state) >= _ENTRIES:
        raise WeightsError(
            f"cannot read {path}: no checkpoint of scorers train; choose another folder"
        )
    for name, value in identity.items():
        if state["identity"].get(name) != value:
            raise InputError(
                f"{path.parent} holds a run with other {name}; choose another folder, or give "
                f"the same options (now {value[:60]})"
            )
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:  # of many lines
        raise WeightsError(f"cannot read {path}: it is of another network") from error
    return state
