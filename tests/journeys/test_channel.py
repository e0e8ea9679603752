"""A session's channel, by examples: the client's rules, then GA4's default channel group in its order."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from macros.categorised import categorised
from macros.channel import channel
from pipelines.attribution.channel_sites import GA4, categories
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
    ("Google Shopping", "organic"): "Organic Shopping",
    ("google shopping", "cpc"): "Paid Shopping",
    ("Google-Shopping", "cpc"): "Paid Shopping",
    ("google_shopping", None): "Organic Shopping",
    ("google+shopping", "cpc"): "Paid Shopping",
    ("google", "shopping"): "Organic Search",  # GA4 knows no such medium
    ("lm.facebook.com", None): "Organic Social",
    ("https://www.facebook.com/", None): "Organic Social",
    (" IGShopping ", None): "Organic Shopping",
    ("google-play", None): "Organic Search",
    ("google+", None): "Organic Social",
    ("www.facebook.com", None): "Organic Social",
    ("amazon.de", "cpc"): "Paid Other",
    ("", ""): "Direct",
    (" ", " (none) "): "Direct",
    (" google ", " cpc "): "Paid Search",
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
    "https://www.amazon.com/dp/1": "Organic Shopping",
    "https://www.amazon.de/dp/1": "Referral",  # Google lists amazon.com and amazon.co.uk only
    "https://copilot.microsoft.com/": "AI Assistant",
    "https://www.perplexity.ai/": "AI Assistant",
    "https://search.naver.com/search.naver?query=shoes": "Organic Search",
    "https://de.search.yahoo.com/": "Organic Search",
    "https://t.co/abc": "Organic Social",
    "https://t.company/": "Referral",
    "https://groups.google.com/": "Organic Social",
    "https://askubuntu.example/": "Referral",
    "https://www.bilibili.com/video/1": "Referral",
    "https://WWW.YouTube.com/watch": "Organic Video",
    "https://youtu.be/1": "Organic Video",
    "https://x.com/someone": "Organic Social",
    "https://m.facebook.com/": "Organic Social",
    "http://lm.facebook.com": "Organic Social",
    "https://www.instagram.com/": "Organic Social",
    "https://de-de.facebook.com/": "Referral",  # a host is looked up whole
    "https://facebook.com:443/": "Organic Social",
    "https://facebook.com.example.org/": "Referral",
    "https://cnn.example/": "Referral",
    "https://google.com.au": "Organic Search",
    "https://docs.google.com/document": "Referral",
    "https://lens.google.com/": "Organic Search",
    "https://play.google.com/store": "Organic Search",
    "https://shopping.yahoo.co.jp/": "Organic Shopping",
    "https://s3.amazonaws.com/file": "Organic Shopping",
    "http://zoo.gr/": "Organic Social",
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
    (
        None,
        "  ",
        None,
        None,
        "https://www.google.com/",
        None,
    ): "Organic Search",  # blanks name nothing
    (None, " ", "cpc", None, "https://www.facebook.com/", None): "Paid Social",
    (None, " ", " ", None, None, None): "Direct",
    (None, " ", None, None, "https://blog.example.org/", None): "Referral",
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
    visits = f"WITH visits AS (FROM (VALUES ({values})) AS visits({', '.join(COLUMNS)}))"
    query = f"{visits} SELECT {rule} FROM {categorised(None, exp.column('visits'))}"
    return duckdb.execute(query, row).fetchone()[0]


@pytest.mark.parametrize(("row", "expected"), _examples().items(), ids=str)
def test_traffic_is_grouped(row: tuple, expected: str) -> None:
    assert grouped(row) == expected


def test_googles_list_is_whole() -> None:
    rows = [line.rsplit(",", 1) for line in GA4.read_text().splitlines()[1:]]

    assert len({source for source, _ in rows}) == len(rows) == 819
    assert Counter(category for _, category in rows) == {
        "social": 592,
        "search": 129,
        "shopping": 52,
        "video": 46,
    }
    assert all(source == source.strip().lower() for source, _ in rows)


def test_each_site_has_one_category() -> None:
    sites = [site for names in categories().values() for site in names]

    assert len(set(sites)) == len(sites) > 819


def test_each_source_of_the_list_is_grouped_by_its_category() -> None:
    for category, name in (
        ("search", "Organic Search"),
        ("social", "Organic Social"),
        ("shopping", "Organic Shopping"),
        ("video", "Organic Video"),
    ):
        values = ", ".join(
            ["(NULL::TEXT, ?, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT)"]
            * len(categories()[category])
        )
        visits = f"WITH visits AS (FROM (VALUES {values}) AS visits({', '.join(COLUMNS)}))"
        rule = channel(None, exp.Literal.string(""))
        query = f"{visits} SELECT DISTINCT {rule} FROM {categorised(None, exp.column('visits'))}"
        found = duckdb.execute(query, [site.upper() for site in categories()[category]])
        assert found.fetchall() == [(name,)]


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
