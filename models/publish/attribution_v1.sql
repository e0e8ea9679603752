/* Who earned what: every touchpoint's credit for its conversion. One row per conversion and touchpoint. */
MODEL (
  name @{client}_publish.attribution_v1,
  kind FULL,
  grain (conversion_id, touchpoint_id),
  depends_on (
    @{client}_marts.gate
  ),
  blueprints @clients()
);

SELECT
  credit.conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  is_counted, /* The type is in campaigns and totals */
  touchpoint_id, /* A session or a page view; NULL where nothing earned the credit */
  customer_id, /* NULL if unknown */
  converted_at, /* UTC */
  touched_at, /* UTC; NULL where there is no touchpoint */
  channel, /* Of the touchpoint, or unattributed */
  campaign, /* Of the touchpoint */
  position, /* 1 for the first touchpoint of the path */
  path_length, /* Touchpoints of the path; 0 where there are none */
  model, /* By which the credit is shared */
  method, /* What shared it: the model, or what stands in for it and why */
  model_version, /* Of what the model has learnt; NULL where it learns nothing */
  credit.credit, /* Share of the conversion, 0 to 1 */
  @currency AS currency, /* Of all money in the row but the original revenue */
  revenue, /* The whole conversion's, at the rate of its day */
  original_currency, /* Of the amount in the source */
  original_revenue, /* The amount in the source less what was given back, in that currency */
  refunded, /* What was given back of it, in that currency; 0 if nothing */
  refunded_at, /* When the last of it was, UTC; NULL if nothing, or not known */
  attributed_revenue, /* The share in money; it sums to the revenue, to the cent */
  is_attributed, /* False where nothing earned the credit */
  NOT provisional.conversion_id IS NULL AS is_provisional, /* Credited ahead of the run that settles it; see docs/published.md */
  provisional.provisional_since, /* When the load that it was credited anew for was committed, UTC; NULL where settled */
  gclid, /* Google's click id; NULL without one */
  gbraid, /* Google's click id on iOS, into an app; NULL without one */
  wbraid, /* Google's click id on iOS, from an app; NULL without one */
  dclid, /* Click id of Campaign Manager and Display & Video 360; NULL without one */
  msclkid, /* Microsoft's click id; NULL without one */
  fbclid, /* Facebook's click id; NULL without one */
  ttclid, /* TikTok's click id; NULL without one */
  li_fat_id, /* LinkedIn's click id; NULL without one */
  twclid, /* X's click id; NULL without one */
  campaign_id, /* The platform's id of the campaign that led here; NULL where unknown */
  ad_group_id, /* The platform's id of the ad group or ad set that led here; NULL where unknown */
  ad_id /* The platform's id of the ad that led here; NULL where unknown */
FROM @{client}_marts.fct_credit AS credit
LEFT JOIN @provisional() AS provisional
  ON credit.conversion_id = provisional.conversion_id
WHERE
  is_active
ORDER BY
  converted_at,
  credit.conversion_id,
  position