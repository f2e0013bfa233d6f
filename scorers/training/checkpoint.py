"""The checkpoint of a training run: read whole, and only for the run that wrote it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

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
        WeightsError: damaged, or the checkpoint of another program or network.
        InputError: another run's.
    """
    state = read_state(path, _ENTRIES, device)
    check_identity(path.parent, state["identity"], identity)
    check_network(path, state["network"], network)
    network.load_state_dict(state["network"])
    return state


def identity_in(path: Path, network: nn.Module) -> dict[str, str]:
    """What a checkpoint was made with, for `check_identity`; the network stays as it is.

    Raises:
        WeightsError: damaged, or the checkpoint of another program or network.
    """
    state = read_state(path, _ENTRIES, torch.device("cpu"))
    check_network(path, state["network"], network)
    identity: dict[str, str] = state["identity"]
    return identity


def check_identity(folder: Path, found: Mapping[str, str], identity: Mapping[str, str]) -> None:
    """Refuse to go on with another run.

    Args:
        folder: of the run, for the message.
        found: what its checkpoint was made with.
        identity: of the run that is asked for, or a part of it.

    Raises:
        InputError: they differ.
    """
    for name, value in identity.items():
        if found.get(name) != value:
            raise InputError(
                f"{folder} holds a run with other {name}; choose another folder, or give "
                f"the same options (now {value[:60]})"
            )


def read_state(path: Path, entries: Collection[str], device: torch.device | None = None) -> State:
    """Read a checkpoint that has these entries; each tensor to where it was, if no device is named.

    Raises:
        WeightsError: damaged, or the checkpoint of another program.
    """
    try:
        state: State = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises whatever its zip and pickle readers do
        raise WeightsError(f"cannot read {path}: damaged; remove it to start anew") from error
    if not isinstance(state, dict) or not set(state) >= set(entries):
        raise WeightsError(
            f"cannot read {path}: no checkpoint of this training; choose another folder"
        )
    return state


def check_network(path: Path, state: Mapping[str, Tensor], network: nn.Module) -> None:
    """Refuse a state whose names or shapes are not the network's.

    Raises:
        WeightsError: they differ.
    """
    found, own = ({n: t.shape for n, t in s.items()} for s in (state, network.state_dict()))
    if found != own:
        raise WeightsError(f"cannot read {path}: it is of another network")
