"""Group traffic into channels, in the order of GA4's default channel group."""

from sqlmesh import macro

SEARCH = "(google|bing|yahoo|duckduckgo|ecosia|baidu|yandex)"
SOCIAL = "(facebook|fb|instagram|ig|linkedin|twitter|x|tiktok|pinterest|reddit|youtube)"
PAID = "^(.*cp.*|ppc|retargeting|paid.*)$"


@macro()
def channel(evaluator, named, source, medium, referrer, gclid, fbclid):
    """Return a session's channel: the one the site names, or else GA4's by source and medium.

    `@channel(channel, source, medium, referrer, gclid, fbclid)`. A click id makes a click paid,
    whatever the utm parameters say. Nothing at all is Direct.
    """
    named, source, medium, referrer, gclid, fbclid = (
        column.sql("duckdb") for column in (named, source, medium, referrer, gclid, fbclid)
    )
    origin = f"LOWER(COALESCE({source}, {referrer}, ''))"
    means = f"LOWER(COALESCE({medium}, ''))"
    return f"""CASE
        WHEN {named} IS NOT NULL THEN {named}
        WHEN {gclid} IS NOT NULL THEN 'Paid Search'
        WHEN {fbclid} IS NOT NULL THEN 'Paid Social'
        WHEN {origin} IN ('', '(direct)', 'direct') AND {means} IN ('', '(none)', '(not set)', 'none')
        THEN 'Direct'
        WHEN REGEXP_MATCHES({origin}, '{SEARCH}') AND REGEXP_MATCHES({means}, '{PAID}')
        THEN 'Paid Search'
        WHEN REGEXP_MATCHES({origin}, '^(.*[./])?{SOCIAL}([./].*)?$') AND REGEXP_MATCHES({means}, '{PAID}')
        THEN 'Paid Social'
        WHEN {means} IN ('display', 'banner', 'expandable', 'interstitial', 'cpm') THEN 'Display'
        WHEN REGEXP_MATCHES({means}, '{PAID}') THEN 'Paid Other'
        WHEN REGEXP_MATCHES({origin}, '^(.*[./])?{SOCIAL}([./].*)?$')
          OR {means} IN ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
        THEN 'Organic Social'
        WHEN {means} = 'organic' OR REGEXP_MATCHES({origin}, '{SEARCH}') THEN 'Organic Search'
        WHEN {means} IN ('email', 'e-mail', 'e_mail', 'e mail') OR {origin} IN ('email', 'e-mail')
        THEN 'Email'
        WHEN {means} = 'affiliate' THEN 'Affiliates'
        WHEN {means} IN ('referral', 'app', 'link') OR {referrer} IS NOT NULL THEN 'Referral'
        WHEN {means} = 'sms' THEN 'SMS'
        ELSE 'Unassigned'
    END"""
