"""Finding the numbers: one objective, several strategies, and guards that may say no."""
