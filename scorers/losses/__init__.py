"""Losses: to train a scorer (`rating`), and to train something else with one (`NIMALoss`)."""

from scorers.losses.guarded import GuardedNIMALoss
from scorers.losses.nima import NIMALoss
from scorers.losses.rating import emd_loss, ranking_loss
from scorers.losses.schedule import Ramp

__all__ = ["GuardedNIMALoss", "NIMALoss", "Ramp", "emd_loss", "ranking_loss"]
