/* What each session cost, whether or not it converted: on its own date, by its own channel and campaign. One row per session with a cost. */
MODEL (
  name @{client}_marts.fct_session_costs,
  kind FULL,
  grain session_id,
  enabled @has_session_costs,
  blueprints @clients(),
  audits (
    unique_rows(columns := (
      session_id
    ))
  )
);

WITH newest_costs AS (
  SELECT
    *,
    MIN(loaded_at) OVER (PARTITION BY session_id) AS first_loaded_at
  FROM @{client}_staging.stg_session_costs
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY loaded_at DESC, is_deleted, cost DESC) = 1
), newest_sessions AS (
  /* also one that was taken back: the money is spent */
  SELECT
    touchpoint_id AS session_id,
    touched_at,
    channel,
    campaign
  FROM @{client}_journeys.touchpoints
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1
)
SELECT
  newest_costs.session_id, /* The site's own id of the session */
  @local_date(COALESCE(newest_sessions.touched_at, newest_costs.first_loaded_at), @timezone) AS date, /* Of the session, in the client's time zone; of the cost's first load while the session was never delivered */
  COALESCE(newest_sessions.channel, 'unattributed') AS channel, /* Of the session; unattributed while it was never delivered */
  COALESCE(newest_sessions.campaign, '(not set)') AS campaign, /* Of the session */
  newest_costs.currency, /* Of the cost */
  newest_costs.cost /* In its currency, as exact as delivered */
FROM newest_costs
LEFT JOIN newest_sessions
  ON newest_costs.session_id = newest_sessions.session_id
WHERE
  NOT newest_costs.is_deleted AND NOT newest_costs.cost IS NULL
