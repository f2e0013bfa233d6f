"""The networks a scorer can stand on, one architecture a file."""
