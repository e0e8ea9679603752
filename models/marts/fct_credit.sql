/* The credit that counts now: each conversion by its newest revision. One row per conversion, touchpoint and model. */
MODEL (
  name @{client}_marts.fct_credit,
  kind FULL,
  grain (conversion_id, touchpoint_id, model),
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (conversion_id, touchpoint_id, model)),
    not_null(columns := (conversion_id, conversion_type, model, channel, campaign, credit)),
    accepted_values("column" := model, is_in := @SQL(@model_names)),
    credit_sums_to_one,
    revenue_sums_to_conversion,
    touches_precede_conversions(days := @SQL(@window_days))
  )
);

WITH amounts AS (
  SELECT
    conversion_id,
    original_currency,
    original_revenue,
    refunded,
    refunded_at
  FROM @newest(@{client}_journeys.conversions, conversion_id) AS conversions
), credits AS (
  SELECT
    *,
    CASE WHEN is_active THEN touchpoint_id END AS shown_touchpoint /* a join by more than equality compares each row with each */
  FROM @current(@{client}_attribution.credit, @{client}_journeys.revisions) AS credit
), clicks AS (
  SELECT
    *
  FROM @{client}_journeys.touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        shown_touchpoint
      FROM credits
    )
)
SELECT
  credit.conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  credit.conversion_type, /* deal, purchase, site, or what the client calls the event */
  @SQL(@is_counted) AS is_counted, /* The type is in campaigns and totals */
  credit.touchpoint_id, /* A session or a page view; NULL where nothing earned the credit */
  credit.customer_id, /* NULL if unknown */
  credit.converted_at, /* UTC */
  credit.touched_at, /* UTC; NULL where there is no touchpoint */
  credit.channel, /* Of the touchpoint, or unattributed */
  credit.campaign, /* Of the touchpoint */
  credit.position, /* 1 for the first touchpoint of the path */
  credit.path_length, /* Touchpoints of the path; 0 where there are none */
  credit.model, /* By which the credit is shared */
  credit.is_active, /* The model that the numbers of the type are made by; the others are there to compare */
  credit.is_additive, /* False where channels and campaigns do not share the conversion, but each earns it whole: never add them up */
  credit.method, /* What shared it: the model, or what stands in for it and why */
  credit.model_version, /* Of what the model has learnt; NULL where it learns nothing */
  credit.credit, /* Share of the conversion, 0 to 1 */
  credit.revenue, /* The whole conversion's, in the client's currency; NULL where no rate is known, which holds the client */
  amounts.original_currency, /* Of the amount in the source */
  amounts.original_revenue, /* The amount in the source less what was given back, in that currency */
  amounts.refunded, /* What was given back of it, in that currency; 0 if nothing */
  amounts.refunded_at, /* When the last of it was, UTC; NULL if nothing, or not known */
  credit.attributed_revenue, /* The share in money; it sums to the revenue, to the cent, that of each channel if not additive */
  credit.is_attributed, /* False where nothing earned the credit */
  clicks.gclid, /* Google's click id; NULL without one */
  clicks.gbraid, /* Google's click id on iOS, into an app; NULL without one */
  clicks.wbraid, /* Google's click id on iOS, from an app; NULL without one */
  clicks.dclid, /* Click id of Campaign Manager and Display & Video 360; NULL without one */
  clicks.msclkid, /* Microsoft's click id; NULL without one */
  clicks.fbclid, /* Facebook's click id; NULL without one */
  clicks.ttclid, /* TikTok's click id; NULL without one */
  clicks.li_fat_id, /* LinkedIn's click id; NULL without one */
  clicks.twclid, /* X's click id; NULL without one */
  clicks.campaign_id, /* The platform's id of the campaign that led here; NULL where unknown */
  clicks.ad_group_id, /* The platform's id of the ad group or ad set that led here; NULL where unknown */
  clicks.ad_id /* The platform's id of the ad that led here; NULL where unknown */
FROM credits AS credit
JOIN amounts
  ON credit.conversion_id = amounts.conversion_id
LEFT JOIN @newest(clicks, touchpoint_id) AS clicks
  ON credit.shown_touchpoint = clicks.touchpoint_id