"""Say nothing of each comment that SQLMesh could not write where the disk takes nothing at all.

It logs every one with a traceback and goes on; the write that fails next is told once, with a remedy.
"""

import logging

from pipelines.disk import disk_problem

_SQLMESH = logging.getLogger("sqlmesh.core.engine_adapter.base")


def leave_out_unwritten_comments() -> None:
    """Drop SQLMesh's warnings whose cause is the disk."""
    _SQLMESH.addFilter(_has_another_cause)


def _has_another_cause(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not (error and disk_problem(error))
