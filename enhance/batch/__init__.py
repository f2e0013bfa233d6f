"""A folder of photos, tuned over worker processes; interrupted, it goes on where it stopped.

from enhance.batch import Request, run_batch

if __name__ == "__main__":  # each worker imports the script again
    result = run_batch("photos", "out", Request(operators=("laplacian",)), workers=4)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enhance.batch.request import Request
    from enhance.batch.row import Row
    from enhance.batch.run import BatchResult, run_batch
    from enhance.batch.shared import Shared
    from enhance.batch.table import write_table

# a worker process imports this before it knows what for
_LAZY = {
    "BatchResult": "enhance.batch.run",
    "Request": "enhance.batch.request",
    "Row": "enhance.batch.row",
    "Shared": "enhance.batch.shared",
    "run_batch": "enhance.batch.run",
    "write_table": "enhance.batch.table",
}

__all__ = ["BatchResult", "Request", "Row", "Shared", "run_batch", "write_table"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
