"""Group traffic into channels, in the order of GA4's default channel group."""

from sqlmesh import macro

SEARCH = "google|bing|yahoo|duckduckgo|ecosia|baidu|yandex"
SOCIAL = "facebook|fb|instagram|ig|linkedin|twitter|x|tiktok|pinterest|reddit"
SHOPPING = "amazon|ebay|etsy|aliexpress|walmart"
VIDEO = "youtube|vimeo|twitch|dailymotion"
PAID = "^(.*cp.*|ppc|retargeting|paid.*)$"


@macro()
def channel(evaluator, named, source, medium, referrer, gclid, fbclid):
    """Return a session's channel: the one the site names, or else GA4's by source and medium.

    `@channel(channel, source, medium, referrer, gclid, fbclid)`. A click id makes a click paid,
    whatever the utm parameters say. Nothing at all is Direct; a referrer alone is a Referral.
    GA4's rules by campaign name are left out: a platform's spend has one channel.
    """
    named, source, medium, referrer, gclid, fbclid = (
        column.sql("duckdb") for column in (named, source, medium, referrer, gclid, fbclid)
    )
    origin = f"LOWER(COALESCE({source}, {referrer}, ''))"
    means = f"LOWER(COALESCE({medium}, ''))"
    paid = f"REGEXP_MATCHES({means}, '{PAID}')"
    search, social, shopping, video = (
        f"REGEXP_MATCHES({origin}, '^([a-z]+://)?([^/]*[.])?({sites})([.:/].*)?$')"
        for sites in (SEARCH, SOCIAL, SHOPPING, VIDEO)
    )
    return f"""CASE
        WHEN {named} IS NOT NULL THEN {named}
        WHEN {gclid} IS NOT NULL THEN 'Paid Search'
        WHEN {fbclid} IS NOT NULL THEN 'Paid Social'
        WHEN {origin} IN ('', '(direct)', 'direct') AND {means} IN ('', '(none)', '(not set)', 'none')
        THEN 'Direct'
        WHEN {shopping} AND {paid} THEN 'Paid Shopping'
        WHEN {search} AND {paid} THEN 'Paid Search'
        WHEN {social} AND {paid} THEN 'Paid Social'
        WHEN {video} AND {paid} THEN 'Paid Video'
        WHEN {means} IN ('display', 'banner', 'expandable', 'interstitial', 'cpm') THEN 'Display'
        WHEN {paid} THEN 'Paid Other'
        WHEN {shopping} THEN 'Organic Shopping'
        WHEN {social}
          OR {means} IN ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
        THEN 'Organic Social'
        WHEN {video} OR {means} LIKE '%video%' THEN 'Organic Video'
        WHEN {search} OR {means} = 'organic' THEN 'Organic Search'
        WHEN {means} IN ('email', 'e-mail', 'e_mail', 'e mail')
          OR {origin} IN ('email', 'e-mail', 'e_mail', 'e mail')
        THEN 'Email'
        WHEN {means} = 'affiliate' THEN 'Affiliates'
        WHEN {means} IN ('referral', 'app', 'link') THEN 'Referral'
        WHEN {means} = 'audio' THEN 'Audio'
        WHEN {means} = 'sms' OR {origin} = 'sms' THEN 'SMS'
        WHEN {means} LIKE '%push' OR {means} LIKE '%mobile%' OR {means} LIKE '%notification%'
        THEN 'Mobile Push Notifications'
        WHEN {referrer} IS NOT NULL THEN 'Referral'
        ELSE 'Unassigned'
    END"""
