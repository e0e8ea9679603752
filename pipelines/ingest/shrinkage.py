"""Say when a delivery lacks so much of what is known that a person must confirm it."""

from typing import NamedTuple

AT_LEAST = 10  # rows: fewer are no matter of a share, unless they are more than half
KNOWN_AT_LEAST = 3  # rows: of one or two, half says nothing


class Shrinkage(NamedTuple):
    """How many rows are known before a delivery and after it, how many it lacks, and which.

    `digest` stands for all the keys that it lacks; `examples` are some, as the export names them.
    """

    before: int
    after: int
    deleted: int
    digest: str = ""
    examples: list[str] = []

    def is_suspicious(self, limit: float) -> bool:
        """Return whether the delivery lacks so much that a person must confirm it."""
        if not self.deleted or limit >= 1:
            return False
        if self.deleted == self.before:
            return True
        if self.deleted > limit * self.before and self.deleted >= AT_LEAST:
            return True
        return self.deleted > max(0.5, limit) * self.before and self.before >= KNOWN_AT_LEAST
