"""How far a scorer can be trusted: agreement with people, pairs, robustness, steering."""
