"""`python -m scorers`: the command `scorers`, where scripts are not on the path."""

from __future__ import annotations

import sys

from scorers.cli import main

if __name__ == "__main__":
    sys.exit(main())
