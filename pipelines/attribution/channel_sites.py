"""The sites that decide a channel, by category: Google's own list, and the few it lacks.

`ga4_sources.csv` holds the 819 sources of Google's table "Source categories", as published with the rules of
GA4's default channel group (https://support.google.com/analytics/answer/9756891), read on 2026-09-19, in
lower case. `MORE` are sites that the table lacks, and that a report would otherwise call referrals, and what
tags write for `google shopping`, as an address holds no blank.
"""

import csv
from functools import cache
from pathlib import Path

from pipelines.sql import literal

GA4 = Path(__file__).parent / "ga4_sources.csv"
MORE = {
    "social": "x x.com threads threads.net threads.com bsky.app mastodon.social",
    "video": "youtu.be",
    "shopping": "google-shopping google_shopping googleshopping google+shopping google%20shopping",
    "assistant": """
        chatgpt chatgpt.com openai openai.com chat.openai.com claude claude.ai deepseek deepseek.com
        chat.deepseek.com grok grok.com perplexity perplexity.ai gemini.google.com copilot.microsoft.com
        mistral.ai chat.mistral.ai meta.ai
    """,
}
# Search engines with a site for each country: google.co.uk, search.naver.com and de.search.yahoo.com
# are google, naver and yahoo, as GA4 itself names them before it looks a source up.
ENGINES = "google|bing|yahoo|duckduckgo|baidu|yandex|naver|ask|aol|seznam|rambler|sogou|qwant|lycos"
OF_A_COUNTRY = f"^((m|search|[a-z]{{2,3}}[.]search)[.])?({ENGINES})([.]com?)?[.][a-z]{{2,3}}$"


def site(source: str, referrer: str) -> str:
    """Return SQL for the site of a visit: its source, or the host that led to it, without `www.`."""
    origin = f"LOWER(TRIM(COALESCE(NULLIF(TRIM({source}), ''), {referrer}, '')))"
    host = f"REGEXP_EXTRACT({origin}, '^([a-z][a-z0-9+.-]*://)?(www[.])?([^/:?#]*)', 3)"
    engine = f"REGEXP_EXTRACT({host}, '{OF_A_COUNTRY}', 3)"
    return f"CASE WHEN {origin} LIKE '%.%' THEN COALESCE(NULLIF({engine}, ''), {host}) ELSE {origin} END"


@cache
def categories() -> dict[str, list[str]]:
    """Return the sites of each category: search, social, shopping, video and assistant."""
    sites = {category: names.split() for category, names in MORE.items()}
    with GA4.open(newline="") as lines:
        for row in csv.DictReader(lines):
            sites.setdefault(row["category"], []).append(row["source"])
    return sites


@cache
def category_rows() -> str:
    """Return a relation of every `site` with its `category`; each list is one text, quick to parse."""
    lists = (
        f"SELECT UNNEST(STRING_SPLIT({literal('|'.join(names))}, '|')) AS site, '{category}' AS category"
        for category, names in sorted(categories().items())
    )
    return f"({' UNION ALL '.join(lists)})"
