"""Published checkpoints into the networks of this package."""
