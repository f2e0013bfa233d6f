"""A folder of photos, tuned over worker processes; interrupted, it goes on where it stopped.

from enhance.batch import Request, run_batch
result = run_batch("photos", "out", Request(operators=("laplacian",)), workers=4)
"""

from enhance.batch.request import Request
from enhance.batch.row import Row
from enhance.batch.run import BatchResult, run_batch
from enhance.batch.table import write_table

__all__ = ["BatchResult", "Request", "Row", "run_batch", "write_table"]
