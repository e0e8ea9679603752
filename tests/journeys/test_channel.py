"""A session's channel, by examples: the client's rules, then GA4's default channel group in its order."""

from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from macros.channel import channel
from pipelines.blueprints.channels import channel_rules
from pipelines.settings.path_rules import ChannelRule
from pipelines.settings.reader import ClientError, parse
from tests.builders.lake_writer import settings

COLUMNS = ("channel", "source", "medium", "campaign", "referrer", "ad_network")

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
    ("email", "referral"): "Referral",
    ("partner", "affiliate"): "Affiliates",
    ("blog.example", "referral"): "Referral",
    ("android", "app"): "Referral",
    ("podcast", "audio"): "Audio",
    ("sms", None): "SMS",
    ("mailing", "sms"): "SMS",
    ("shop", "web_push"): "Mobile Push Notifications",
    ("shop", "mobile"): "Mobile Push Notifications",
    ("firebase", None): "Mobile Push Notifications",
    ("chatgpt.com", "ai-assistant"): "AI Assistant",
    ("chatgpt.com", "referral"): "AI Assistant",
    ("gemini.google.com", None): "AI Assistant",
    ("gemini.google.com", "organic"): "Organic Search",
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
    "https://copilot.microsoft.com/": "AI Assistant",
    "https://www.perplexity.ai/": "AI Assistant",
    "https://search.naver.com/search.naver?query=shoes": "Organic Search",
    "https://de.search.yahoo.com/": "Organic Search",
    "https://t.co/abc": "Organic Social",
    "https://t.company/": "Referral",
    "https://groups.google.com/": "Organic Social",
    "https://askubuntu.example/": "Referral",
    "https://www.bilibili.com/video/1": "Organic Video",
    "https://www.mercadolibre.com.ar/": "Organic Shopping",
    "https://microsoft.com/": "Referral",
    "https://blog.example.org/review": "Referral",
    "https://blog.example.org/google/": "Referral",
    "https://plumbing.example/": "Referral",
    "https://example.org/?next=https://www.google.com/": "Referral",
}

# By source, medium and campaign.
CAMPAIGNS = {
    ("google", "cpc", "pmax cross-network DE"): "Cross-network",
    ("newsletter", "email", "Cross-Network"): "Cross-network",
    (None, None, "cross-network"): "Direct",  # GA4 asks for direct first
    ("google", "cpc", "summer-shop"): "Paid Shopping",
    ("facebook", "cpc", "Shopping 2026"): "Paid Shopping",
    ("partner", "paid", "eshop"): "Paid Shopping",
    ("google", "cpc", "workshop"): "Paid Search",
    ("newsletter", "email", "my shop"): "Organic Shopping",
    ("newsletter", "email", "bishop"): "Email",
}

# Whole rows: channel, source, medium, campaign, referrer, ad network.
ROWS = {
    ("Podcast", "google", "cpc", None, None, "google"): "Podcast",
    ("Direct", "google", "cpc", None, None, None): "Direct",
    (None, None, None, None, None, "google"): "Paid Search",
    (None, None, None, None, None, "bing"): "Paid Search",
    (None, None, None, None, None, "tiktok"): "Paid Social",
    (None, None, None, None, None, "doubleclick"): "Display",
    (None, "youtube", None, None, None, "doubleclick"): "Paid Video",
    (None, "google", "organic", None, "https://www.google.com/", "google"): "Paid Search",
    (None, "newsletter", "email", None, None, "google"): "Paid Search",
    (None, None, None, "Cross-network", None, "google"): "Cross-network",
    (None, None, None, "shopping", None, "google"): "Paid Shopping",
    (None, None, None, None, "https://www.facebook.com/", "facebook"): "Paid Social",
    (None, "(direct)", "(none)", None, None, "facebook"): "Paid Social",
    (None, "google", "cpc", None, "https://www.facebook.com/", None): "Paid Search",
    (None, None, "email", None, "https://mail.example/", None): "Email",
    (None, None, "sms", None, "https://mail.example/", None): "SMS",
    (None, None, "(none)", None, "https://blog.example.org/", None): "Referral",
}

RULES = [
    {"channel": "Affiliates", "source": "awin|cj"},
    {"channel": "It's Brand", "medium": "cpc", "campaign": r"brand[ _]\d+.*"},
    {"channel": "Brand", "source": "google", "medium": "cpc", "campaign": "brand.*"},
    {"channel": "Direct", "referrer": "https://intranet[.]example/.*"},
    {"channel": "Never", "source": "awin"},
]

# The same, where a client has rules.
RULED = {
    (None, "AWIN", "cpc", None, None, None): "Affiliates",
    (None, "awin2", "affiliate", None, None, None): "Affiliates",  # GA4's
    (None, "awin2", "cpc", None, None, None): "Paid Other",  # a rule is about the whole value
    (None, "bing", "cpc", "brand_2026 DE", None, None): "It's Brand",
    (None, "google", "cpc", "Brand", None, None): "Brand",
    (None, None, None, "Brand", None, "google"): "Brand",  # a click is paid, its network the source
    (None, None, None, "Brand", None, None): "Direct",
    (None, None, None, None, "https://intranet.example/x", None): "Direct",
    ("Podcast", "awin", None, None, None, None): "Podcast",
}


def _examples() -> dict[tuple, str]:
    tagged = {(None, *way, None, None, None): name for way, name in TAGGED.items()}
    named = {(None, *way, None, None): name for way, name in CAMPAIGNS.items()}
    untagged = {(None, None, None, None, url, None): name for url, name in UNTAGGED.items()}
    return tagged | named | untagged | ROWS


def grouped(row: tuple, *rules: dict) -> str:
    """Return the channel of a row, at a client with some rules."""
    text = channel_rules(ChannelRule(**rule) for rule in rules)
    rule = channel(None, exp.Literal.string(text))
    values = ", ".join("?::TEXT" for _ in COLUMNS)
    query = f"SELECT {rule} FROM (VALUES ({values})) AS visits({', '.join(COLUMNS)})"
    return duckdb.execute(query, row).fetchone()[0]


@pytest.mark.parametrize(("row", "expected"), _examples().items(), ids=str)
def test_traffic_is_grouped(row: tuple, expected: str) -> None:
    assert grouped(row) == expected


@pytest.mark.parametrize(("row", "expected"), RULED.items(), ids=str)
def test_the_clients_rules_come_first(row: tuple, expected: str) -> None:
    assert grouped(row, *RULES) == expected


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{channel: A, source: '('}", "channels.0.source: '(' is no regular expression"),
        ("{channel: A}", "channels.0: a rule for A needs one of source, medium, campaign"),
        (
            "{channel: Unattributed, source: a}",
            "channels.0.channel: unattributed is the name of what no",
        ),
        ("{channel: A, sauce: a}", "channels.0.sauce"),
    ],
)
def test_a_bad_rule_is_named(tmp_path: Path, rule: str, said: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(settings("one") + f"channels:\n  - {rule}\n")

    with pytest.raises(ClientError) as error:
        parse(file)

    assert f"clients/one.yaml: {said}" in str(error.value)
