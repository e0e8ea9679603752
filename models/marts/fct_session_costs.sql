/* What each session cost, whether or not it converted: on its own date, by its own channel and campaign. One row per session with a cost. */
MODEL (
  name @{client}_marts.fct_session_costs,
  kind FULL,
  grain session_id,
  enabled @has_session_costs,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (
      session_id
    ))
  )
);

WITH session_costs AS (
  SELECT
    *,
    MIN(loaded_at) OVER (PARTITION BY session_id) AS first_loaded_at
  FROM @{client}_staging.stg_session_costs
)
SELECT
  costs.session_id, /* The site's own id of the session */
  @local_date(COALESCE(sessions.touched_at, costs.first_loaded_at), @timezone) AS date, /* Of the session, in the client's time zone; of the cost's first load while the session was never delivered */
  COALESCE(sessions.channel, 'unattributed') AS channel, /* Of the session; unattributed while it was never delivered */
  COALESCE(sessions.campaign, '(not set)') AS campaign, /* Of the session */
  costs.currency, /* Of the cost */
  costs.cost /* In its currency, as exact as delivered */
FROM @newest(session_costs, session_id, cost) AS costs
/* a session that was taken back counts too: the money is spent */
LEFT JOIN @newest(@{client}_journeys.touchpoints, touchpoint_id) AS sessions
  ON costs.session_id = sessions.touchpoint_id
WHERE
  NOT costs.is_deleted AND NOT costs.cost IS NULL
