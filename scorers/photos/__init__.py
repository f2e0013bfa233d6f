"""Photos as networks are given them: decoded, resampled, damaged, and how far apart they look."""
