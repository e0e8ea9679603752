"""Take URLs apart, in SQL."""

import re

from pipelines.sql import literal


def parameter(url: str, name: str) -> str:
    """Return SQL for a parameter of a URL's query, or of a query alone; NULL without."""
    found = f"REGEXP_EXTRACT({url}, {literal(f'(?:^|[?&]){re.escape(name)}=([^&#]*)')}, 1)"
    return f"CASE WHEN CONTAINS({url}, {literal(f'{name}=')}) THEN NULLIF({found}, '') END"


def decoded(value: str) -> str:
    """Return SQL for a parameter's value as it was before it was written into a URL."""
    return f"COALESCE(TRY(URL_DECODE(REPLACE({value}, '+', ' '))), {value})"


def host(url: str) -> str:
    """Return SQL for the host of a URL, without `www.`."""
    return f"REGEXP_EXTRACT(LOWER({url}), '^[a-z]+://(?:www[.])?([^/:?#]+)', 1)"
