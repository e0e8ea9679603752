"""Make up what happened at a demo client, as tables in DuckDB.

Everything follows from the number of a visit: `pick(i, why, sides)` rolls a die whose result is
the same for ever. Day 0 is 2026-10-31, history begins 29 days earlier. Times are local and fall
between 06:00 and midnight, so no change of the clocks makes one ambiguous.

The views say what the client's systems show on the day in the variable `day`; in every one of
them `sent` is the day on which the row, as it is now, was delivered.
"""

from duckdb import DuckDBPyConnection

DICE = """
CREATE OR REPLACE MACRO pick(i, why, sides) AS (hash(i, why, '{client}') % sides)::INTEGER;
CREATE OR REPLACE MACRO code(i, why) AS md5(concat('{client}', why, i));
CREATE OR REPLACE MACRO morning(day) AS TIMESTAMP '2026-10-31 06:00:00' + to_days(day);
CREATE OR REPLACE MACRO at_some_time(day, i, why) AS morning(day) + to_seconds(pick(i, why, 64800));
CREATE OR REPLACE MACRO in_utc(moment) AS (moment AT TIME ZONE '{timezone}') AT TIME ZONE 'UTC';
CREATE OR REPLACE MACRO with_offset(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%S')
  || printf('%+03d:00', date_diff('hour', in_utc(moment), moment));
"""

ORIGINS = """
CREATE OR REPLACE TABLE origins AS
SELECT row_number() OVER (ORDER BY position) - 1 AS origin, * REPLACE (
  coalesce(referrer, CASE WHEN platform IS NOT NULL THEN printf('https://www.%s.com/', source) END)
    AS referrer
)
FROM (VALUES
  (1, NULL, NULL, 'Direct', NULL, NULL, NULL, NULL),
  (2, NULL, NULL, 'Direct', NULL, NULL, NULL, NULL),
  (3, NULL, NULL, 'Organic Search', NULL, NULL, NULL, 'https://www.google.com/'),
  (4, NULL, NULL, 'Organic Search', 'bing', 'organic', NULL, 'https://www.bing.com/'),
  (5, NULL, NULL, 'Organic Social', 'linkedin', 'social', NULL, 'https://www.linkedin.com/'),
  (6, NULL, NULL, 'Referral', NULL, NULL, NULL, 'https://blog.example.org/review'),
  (7, NULL, NULL, 'Email', 'newsletter', 'email', 'october_news', NULL),
  (8, 'google_ads', '2100000001', 'Paid Search', 'google', 'cpc', 'Brand', NULL),
  (9, 'google_ads', '2100000002', 'Paid Search', 'google', 'cpc', 'Competitors', NULL),
  (10, 'google_ads', '2100000003', 'Paid Search', 'google', 'cpc', 'Autumn Sale', NULL),
  (11, 'facebook_ads', '2384000001', 'Paid Social', 'facebook', 'paid_social', 'Autumn Sale', NULL),
  (12, 'facebook_ads', '2384000002', 'Paid Social', 'facebook', 'paid_social', 'Retargeting', NULL),
  (13, 'facebook_ads', '2384000003', 'Paid Social', 'facebook', 'paid_social', 'Lookalike', NULL)
) AS ways(position, platform, campaign_id, channel, source, medium, campaign, referrer)
WHERE platform IS NULL OR platform IN {tables};
"""

VISITS = """
CREATE OR REPLACE TABLE visits AS
WITH numbered AS (
  SELECT
    i,
    CASE WHEN i % 40 = 1 THEN i - 1 ELSE i END AS twin  -- two visits of one visitor at one second
  FROM range({per_day} * ({day} + 30)) AS numbers(i)
), placed AS (
  SELECT
    i,
    twin,
    (twin // {per_day} - 29)::INTEGER AS happened,
    CASE WHEN pick(i, 'late', 12) = 0 THEN 1 + pick(i, 'days late', 12) ELSE 0 END AS days_late,
    pick(twin, 'visitor', {visitors}) AS visitor,
    visitor // 2 AS person,  -- a person has two browsers
    pick(i, 'origin', (SELECT count(*) FROM origins)) AS origin,
    pick(i, 'untagged', 10) = 0 AS is_untagged
  FROM numbered
)
SELECT
  i AS position,
  happened,
  greatest(happened + days_late, 0) AS sent,
  printf('session-%07d', i) AS session_id,
  code(visitor, 'cookie')[:16] AS visitor_id,
  CASE WHEN pick(person, 'buyer', 2) = 0 THEN printf('customer-%06d', person) END AS customer,
  CASE WHEN pick(i, 'signed in', 2) = 0 THEN customer END AS customer_id,
  i % 1000 = 7 AND happened <= 0 AS is_bad,  -- none on later days: their files are small
  CASE WHEN NOT is_bad THEN at_some_time(happened, twin, 'time') END AS started_at,
  CASE WHEN pick(i, 'no channel', 10) <> 0 THEN channel END AS channel,
  CASE WHEN is_untagged AND platform = 'google_ads' THEN NULL ELSE source END AS source,
  CASE WHEN is_untagged AND platform = 'google_ads' THEN NULL ELSE medium END AS medium,
  CASE
    WHEN is_untagged AND platform = 'google_ads' THEN NULL
    WHEN pick(i, 'typo', 25) = 0 THEN replace(lower(campaign), ' ', '_')
    ELSE campaign
  END AS campaign,
  referrer,
  CASE WHEN platform = 'google_ads' THEN 'Cj0K' || code(i, 'click') END AS gclid,
  CASE WHEN platform = 'facebook_ads' THEN 'IwAR' || code(i, 'click') END AS fbclid
FROM placed
JOIN origins USING (origin);

CREATE OR REPLACE VIEW sessions AS
SELECT * FROM visits WHERE sent <= getvariable('day')
UNION ALL
SELECT * FROM visits WHERE sent <= getvariable('day') AND position % 50 = 20;  -- the same row twice
"""

DEALS = """
CREATE OR REPLACE TABLE deals AS
WITH chosen AS (
  SELECT row_number() OVER (ORDER BY position) - 1 AS deal, happened, started_at, customer
  FROM visits
  WHERE position % 5 = 4 AND customer IS NOT NULL
), closed_deals AS (
  SELECT
    *,
    deal % 10 = 4 AS is_at_once,  -- closed at the very second of the visit
    happened + CASE WHEN is_at_once THEN 0 ELSE 1 + pick(deal, 'wait', 6) END AS closed
  FROM chosen
)
SELECT
  deal AS position,
  printf('deal-%06d', deal) AS opportunity_id,
  CASE WHEN deal % 20 IN (1, 12) THEN printf('offline-%06d', deal) ELSE customer END AS customer_id,
  closed,
  CASE WHEN is_at_once THEN started_at ELSE at_some_time(closed, deal, 'closing') END AS closed_at,
  CASE deal % 20
    WHEN 3 THEN 'corrected' WHEN 7 THEN 'reopened' WHEN 11 THEN 'deleted' WHEN 15 THEN 'delayed'
    WHEN 19 THEN 'lost'
  END AS fate,
  greatest(closed + 1, 1 + deal // 20 % 30)::INTEGER AS revised,
  deal % 400 = 198 AND closed <= 0 AS is_bad,
  CASE
    WHEN NOT is_bad
    THEN ((4000 + pick(deal, 'amount', 36000)) * {unit} / 100)::DECIMAL(18, {decimals})
  END AS amount
FROM closed_deals;

CREATE OR REPLACE VIEW opportunities AS
WITH visible_deals AS (
  SELECT *, revised <= getvariable('day') AND fate <> 'lost' AS is_revised
  FROM deals
  WHERE closed <= getvariable('day')
), staged AS (
  SELECT
    *,
    CASE
      WHEN fate = 'lost' THEN 'Closed Lost'
      WHEN fate = 'delayed' AND NOT is_revised THEN 'Negotiation'
      WHEN fate = 'reopened' AND is_revised THEN 'Negotiation'
      ELSE 'Closed Won'
    END AS stage,
    CASE
      WHEN fate = 'corrected' AND is_revised THEN closed_at + to_days(1)
      WHEN is_revised THEN closed_at + to_days(revised - closed)
      ELSE closed_at
    END AS stage_changed_at
  FROM visible_deals
)
SELECT
  position,
  opportunity_id,
  customer_id,
  stage,
  stage = 'Closed Won' AS is_won,
  stage_changed_at,
  CASE WHEN stage <> 'Negotiation' THEN stage_changed_at END AS closed_at,
  CASE WHEN fate = 'corrected' AND is_revised THEN (amount * 1.1)::DECIMAL(18, {decimals})
    ELSE amount END AS amount,
  '{currency}' AS currency,
  CASE WHEN is_revised THEN revised ELSE greatest(closed, 0) END AS sent
FROM staged
WHERE (is_revised AND fate = 'deleted') IS NOT TRUE;
"""

SPEND = """
CREATE OR REPLACE TABLE spend AS
SELECT
  happened::INTEGER AS happened,
  origins.*,
  happened * 100 + origin AS seed,
  1 + (clicks_a_day * (60 + pick(seed, 'clicks', 80)) / 100)::BIGINT AS clicks,
  clicks * (20 + pick(seed, 'impressions', 30)) AS impressions,
  clicks * (150 + pick(seed, 'price', 300)) * {unit} / 100 AS first_cost
FROM range(-{history}, {day} + 1) AS days(happened)
CROSS JOIN origins
CROSS JOIN (SELECT {per_day} / count(*) AS clicks_a_day FROM origins) AS volume
WHERE platform IS NOT NULL;

CREATE OR REPLACE VIEW reported_spend AS
SELECT
  happened,
  seed AS position,
  platform,
  morning(happened)::DATE AS spend_date,
  campaign_id,
  campaign,
  1 + 0.01 * least(getvariable('day') - happened, 6) AS restatement,
  (first_cost * restatement)::DECIMAL(18, {decimals}) AS cost,
  '{currency}' AS currency,
  clicks,
  impressions,
  CASE WHEN happened > getvariable('day') - 7 THEN getvariable('day') ELSE 0 END AS sent
FROM spend
WHERE happened <= getvariable('day');

CREATE OR REPLACE VIEW google_ads AS SELECT * FROM reported_spend WHERE platform = 'google_ads';
CREATE OR REPLACE VIEW facebook_ads AS SELECT * FROM reported_spend WHERE platform = 'facebook_ads';
"""

SHOP = """
CREATE OR REPLACE TABLE ways AS
SELECT * FROM (VALUES
  (0, 'direct', NULL, 'direct', 'none', NULL),
  (1, 'direct', NULL, 'direct', 'none', NULL),
  (2, 'organic_search', 'camp_seo_001', 'google', 'organic', 'https://google.com/search'),
  (3, 'paid_search', 'camp_ppc_001', 'google', 'cpc', 'https://google.com/ads'),
  (4, 'paid_search', 'camp_ppc_002', 'google', 'cpc', 'https://google.com/ads'),
  (5, 'social', 'camp_ig_001', 'instagram', 'social', 'https://instagram.com'),
  (6, 'email', 'camp_email_001', 'newsletter', 'email', NULL)
) AS ways(way, channel, campaign_id, utm_source, utm_medium, referrer_url);

CREATE OR REPLACE TABLE shopping AS
SELECT
  i,
  i % 25 = 13 AS is_by_phone,
  CASE WHEN is_by_phone THEN -1 - i ELSE pick(i, 'client', {visitors}) END AS client,
  code(client, 'client')::UUID::TEXT AS client_id,
  at_some_time(
    (i // {per_day} - 29 - CASE WHEN pick(i, 'long ago', 10) = 0 THEN 25 ELSE 0 END)::INTEGER,
    i, 'time'
  ) AS started_at,
  CASE WHEN is_by_phone THEN 0 ELSE 1 + pick(i, 'pages', 4) END AS pages,
  pick(i, 'buys', 8) = 0 OR is_by_phone AS is_bought,
  i % 4 = 0 AS is_at_once,  -- bought at the very moment of the last page view
  ways.*
FROM range({per_day} * ({day} + 30)) AS numbers(i)
JOIN ways ON ways.way = CASE WHEN i % 25 = 13 THEN 0 ELSE pick(i, 'way', 7) END;

CREATE OR REPLACE VIEW events AS
WITH moments AS (
  SELECT *, unnest(range(pages)) AS page, 'page_view' AS event_type,
    started_at + to_seconds(page * 45) AS event_time
  FROM shopping
  UNION ALL
  SELECT *, pages AS page, 'purchase' AS event_type,
    started_at + to_seconds(CASE WHEN is_at_once THEN greatest(pages - 1, 0) ELSE pages END * 45)
  FROM shopping
  WHERE is_bought
)
SELECT
  i * 10 + page AS position,
  client_id,
  event_type,
  event_time,
  printf('sess_%06d', i) AS session_id,
  channel,
  campaign_id,
  utm_source,
  utm_medium,
  CASE
    WHEN event_type = 'purchase' THEN '/checkout/success'
    ELSE printf('/products/%d', 1 + pick(position, 'page', 40))
  END AS page_url,
  CASE WHEN page = 0 AND event_type = 'page_view' THEN referrer_url END AS referrer_url,
  CASE
    WHEN event_type = 'purchase'
    THEN ((1500 + pick(i, 'revenue', 20000)) * {unit} / 100)::DECIMAL(18, {decimals})
  END AS revenue,
  CASE WHEN event_type = 'purchase' THEN 1 + pick(i, 'product', 60) END AS product,
  printf('prod_%03d', product) AS product_id,
  ['footwear', 'clothing', 'electronics', 'home', 'travel'][1 + product % 5] AS product_category,
  0 AS sent
FROM moments;

CREATE OR REPLACE VIEW clients AS
SELECT
  min(position) AS position,
  client_id,
  min(event_time)::DATE AS registration_date,
  concat(year(registration_date), '-Q', quarter(registration_date)) AS cohort,
  CASE
    WHEN count(*) FILTER (event_type = 'purchase') > 1 THEN 'returning_customer'
    ELSE 'new_customer'
  END AS customer_segment,
  0 AS sent
FROM events
GROUP BY client_id;
"""


def build(connection: DuckDBPyConnection, is_shop: bool, **facts: object) -> None:
    """Make a client's tables, up to a day, from its name, time zone, money, volume and tables."""
    for part in (DICE, SHOP) if is_shop else (DICE, ORIGINS, VISITS, DEALS, SPEND):
        connection.execute(part.format(**facts))
