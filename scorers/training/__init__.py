"""Training of scorers: data in memory, losses on order, damage, and a resumable loop."""
