"""Group traffic into channels: by the client's rules, then in the order of GA4's default channel group.

GA4's rules are those of https://support.google.com/analytics/answer/9756891 for manual traffic.
Only the client's own rules are written into its models, as text.
"""

from sqlmesh import macro

PAID = "^(.*cp.*|ppc|retargeting|paid.*)$"
SHOP_CAMPAIGN = "^(.*(([^a-df-z]|^)shop|shopping).*)$"

SEARCH_ADS = "'google', 'bing'"
SOCIAL_ADS = "'facebook', 'tiktok', 'linkedin', 'twitter'"


@macro()
def channel(evaluator, rules):
    """Return the channel of a click or a visit: `@channel(@channel_rules)`.

    It reads the columns `channel` (as the site itself names it: that counts first), `source`,
    `medium`, `campaign`, `referrer`, `site_category`, which `@categorised` adds, and `ad_network`, which
    follows from the click id: google, bing, facebook, tiktok, linkedin, twitter, doubleclick, or NULL. A click id makes a click paid, whatever the utm
    parameters say. Nothing at all is Direct; a referrer alone is a Referral.
    """
    origin = "LOWER(TRIM(COALESCE(NULLIF(TRIM(source), ''), referrer, '')))"
    means = "LOWER(TRIM(COALESCE(medium, '')))"
    named = "LOWER(COALESCE(campaign, ''))"
    assistant, search, social, shopping, video = (
        f"site_category = '{category}'"
        for category in ("assistant", "search", "social", "shopping", "video")
    )
    paid = f"(ad_network IS NOT NULL OR REGEXP_MATCHES({means}, '{PAID}'))"
    for_shop = f"({shopping} OR REGEXP_MATCHES({named}, '{SHOP_CAMPAIGN}'))"
    email = "'email', 'e-mail', 'e_mail', 'e mail'"
    return f"""CASE
        WHEN channel IS NOT NULL THEN channel
        {rules.name}
        WHEN ad_network IS NULL AND {origin} IN ('', '(direct)', 'direct')
          AND {means} IN ('', '(none)', '(not set)', 'none')
        THEN 'Direct'
        WHEN {named} LIKE '%cross-network%' THEN 'Cross-network'
        WHEN {for_shop} AND {paid} THEN 'Paid Shopping'
        WHEN ad_network IN ({SEARCH_ADS}) THEN 'Paid Search'
        WHEN ad_network IN ({SOCIAL_ADS}) THEN 'Paid Social'
        WHEN {search} AND {paid} THEN 'Paid Search'
        WHEN {social} AND {paid} THEN 'Paid Social'
        WHEN {video} AND {paid} THEN 'Paid Video'
        WHEN {means} IN ('display', 'banner', 'expandable', 'interstitial', 'cpm')
          OR ad_network IS NOT NULL
        THEN 'Display'
        WHEN {paid} THEN 'Paid Other'
        WHEN {for_shop} THEN 'Organic Shopping'
        WHEN {social}
          OR {means} IN ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
        THEN 'Organic Social'
        WHEN {video} OR {means} LIKE '%video%' THEN 'Organic Video'
        WHEN {search} OR {means} = 'organic' THEN 'Organic Search'
        WHEN {assistant} OR {means} = 'ai-assistant' THEN 'AI Assistant'
        WHEN {means} IN ('referral', 'app', 'link') THEN 'Referral'
        WHEN {origin} IN ({email}) OR {means} IN ({email}) THEN 'Email'
        WHEN {means} = 'affiliate' THEN 'Affiliates'
        WHEN {means} = 'audio' THEN 'Audio'
        WHEN {origin} = 'sms' OR {means} = 'sms' THEN 'SMS'
        WHEN {means} LIKE '%push' OR {means} LIKE '%mobile%' OR {means} LIKE '%notification%'
          OR {origin} = 'firebase'
        THEN 'Mobile Push Notifications'
        WHEN referrer IS NOT NULL THEN 'Referral'
        ELSE 'Unassigned'
    END"""
