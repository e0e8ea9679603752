"""Take URLs apart, in SQL."""


def parameter(url: str, name: str) -> str:
    """Return SQL for a parameter of a URL's query, or of a query alone; NULL without."""
    return f"NULLIF(REGEXP_EXTRACT({url}, '(?:^|[?&]){name}=([^&#]*)', 1), '')"


def host(url: str) -> str:
    """Return SQL for the host of a URL, without `www.`."""
    return f"REGEXP_EXTRACT(LOWER({url}), '^[a-z]+://(?:www[.])?([^/:?#]+)', 1)"
