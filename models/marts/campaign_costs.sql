/* Every cost of a campaign as it is now, in its own currency: what platforms charged on a day, and what sessions cost. One row per cost. */
MODEL (
  name @{client}_marts.campaign_costs,
  kind EMBEDDED,
  grain (date, channel, campaign, cost),
  blueprints @clients()
);

@union_all(
  (clicks := BIGINT, impressions := BIGINT),
  (
    SELECT
      spend_date AS date, /* In the ad account's time zone; of a session, in the client's */
      channel, /* Of the clicks or the session */
      campaign, /* As utm_campaign and the platform name it */
      currency, /* Of the cost */
      cost, /* In its currency, as exact as delivered */
      clicks, /* As the platform counts; NULL where not delivered */
      impressions /* As the platform counts; NULL where not delivered */
    FROM @newest(@{client}_staging.stg_ad_spend, (platform, spend_id), cost) AS spend
    WHERE
      NOT is_deleted
  ),
  (
    SELECT
      date,
      channel,
      campaign,
      currency,
      cost
    FROM @optional(@has_session_costs, @client, marts.fct_session_costs) AS session_costs
  )
)