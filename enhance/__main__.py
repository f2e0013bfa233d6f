"""`python -m enhance`: the command `enhance`, where scripts are not on the path."""

from __future__ import annotations

import sys

from enhance.cli import main

if __name__ == "__main__":
    sys.exit(main())
