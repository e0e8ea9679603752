"""A session's channel, by examples: GA4's default channel group, in its order."""

import duckdb
import pytest
from sqlglot import exp

from macros.channel import channel

COLUMNS = ("named", "source", "medium", "referrer", "gclid", "fbclid")

# By source and medium.
TAGGED = {
    (None, None): "Direct",
    ("(direct)", "(none)"): "Direct",
    ("(direct)", "(not set)"): "Direct",
    ("direct", None): "Direct",
    ("(direct)", "cpc"): "Paid Other",
    ("amazon", "cpc"): "Paid Shopping",
    ("google", "cpc"): "Paid Search",
    ("Google", "CPC"): "Paid Search",
    ("google", "ppc"): "Paid Search",
    ("bing", "paidsearch"): "Paid Search",
    ("google", "cpm"): "Paid Search",
    ("facebook", "paid_social"): "Paid Social",
    ("ig", "cpc"): "Paid Social",
    ("m.facebook.com", "retargeting"): "Paid Social",
    ("youtube", "cpv"): "Paid Video",
    ("youtube.com", "cpc"): "Paid Video",
    ("criteo", "display"): "Display",
    ("criteo", "cpm"): "Display",
    ("criteo", "banner"): "Display",
    (None, "interstitial"): "Display",
    ("criteo", "cpc"): "Paid Other",
    ("partner", "paid"): "Paid Other",
    ("partner", "unpaid"): "Unassigned",
    ("ebay", None): "Organic Shopping",
    ("linkedin", None): "Organic Social",
    ("forum", "social"): "Organic Social",
    ("facebook", "referral"): "Organic Social",
    ("youtube", "social"): "Organic Social",
    ("vimeo.com", "referral"): "Organic Video",
    ("partner", "video"): "Organic Video",
    ("google", "organic"): "Organic Search",
    ("google", None): "Organic Search",
    ("startpage", "organic"): "Organic Search",
    ("newsletter", "email"): "Email",
    ("newsletter", "e-mail"): "Email",
    ("email", None): "Email",
    ("email", "referral"): "Email",
    ("partner", "affiliate"): "Affiliates",
    ("blog.example", "referral"): "Referral",
    ("android", "app"): "Referral",
    ("podcast", "audio"): "Audio",
    ("sms", None): "SMS",
    ("mailing", "sms"): "SMS",
    ("shop", "web_push"): "Mobile Push Notifications",
    ("shop", "mobile"): "Mobile Push Notifications",
    ("plumbing.example", "organic"): "Organic Search",
    ("plumbing.example", None): "Unassigned",
    ("newsletter", None): "Unassigned",
    ("facebookish", None): "Unassigned",
}

# By the referrer, where the address holds no tags.
UNTAGGED = {
    "https://www.google.com/": "Organic Search",
    "https://google.co.uk/search?q=shoes": "Organic Search",
    "https://duckduckgo.com": "Organic Search",
    "https://www.linkedin.com/feed/": "Organic Social",
    "https://l.instagram.com/?u=x": "Organic Social",
    "https://m.youtube.com/watch": "Organic Video",
    "https://www.amazon.de/dp/1": "Organic Shopping",
    "https://blog.example.org/review": "Referral",
    "https://blog.example.org/google/": "Referral",
    "https://plumbing.example/": "Referral",
    "https://example.org/?next=https://www.google.com/": "Referral",
}

# Whole rows: named, source, medium, referrer, gclid, fbclid.
ROWS = {
    ("Podcast", "google", "cpc", None, "click", None): "Podcast",
    ("Direct", "google", "cpc", None, None, None): "Direct",
    (None, None, None, None, "click", None): "Paid Search",
    (None, "google", "organic", "https://www.google.com/", "click", None): "Paid Search",
    (None, "newsletter", "email", None, "click", None): "Paid Search",
    (None, None, None, "https://www.facebook.com/", None, "click"): "Paid Social",
    (None, "(direct)", "(none)", None, None, "click"): "Paid Social",
    (None, "google", "cpc", "https://www.facebook.com/", None, None): "Paid Search",
    (None, None, "email", "https://mail.example/", None, None): "Email",
    (None, None, "sms", "https://mail.example/", None, None): "SMS",
    (None, None, "(none)", "https://blog.example.org/", None, None): "Referral",
}


def _examples() -> dict[tuple, str]:
    tagged = {(None, *way, None, None, None): name for way, name in TAGGED.items()}
    untagged = {(None, None, None, url, None, None): name for url, name in UNTAGGED.items()}
    return tagged | untagged | ROWS


@pytest.mark.parametrize(("row", "expected"), _examples().items(), ids=str)
def test_traffic_is_grouped(row: tuple, expected: str) -> None:
    rule = channel(None, *(exp.column(name) for name in COLUMNS))
    query = f"SELECT {rule} FROM (VALUES (?::TEXT, ?::TEXT, ?::TEXT, ?::TEXT, ?::TEXT, ?::TEXT))"

    found = duckdb.execute(f"{query} AS sessions({', '.join(COLUMNS)})", row).fetchone()

    assert found == (expected,)
