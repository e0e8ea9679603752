"""Notice a platform whose pages never end: each row of a report comes on one page of it."""

import json
from collections.abc import Iterable, Iterator

from pipelines.sources.errors import PlatformError

_EMPTY_AT_MOST = 100  # pages one after the other; some platforms filter a page after they cut it


def ending(platform: str, pages: Iterable[list[dict]]) -> Iterator[list[dict]]:
    """Yield pages. Raise PlatformError if one comes a second time, or too many have no row."""
    seen: set[int] = set()
    empty = 0
    for page in pages:
        text = hash(json.dumps(page, sort_keys=True))
        empty = 0 if page else empty + 1
        if empty > _EMPTY_AT_MOST or (page and text in seen):
            what = "one empty page after another" if empty else "the same page again"
            reason = f"{platform} answers {what}, and names a next page; the next run tries again"
            raise PlatformError("malformed_answer", reason)
        seen.add(text)
        yield page
