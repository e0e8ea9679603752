/* The leads that a deal came of, and while the CRM holds it: those converted to it, to its account, or to its contacts. One row per deal, lead and span of validity; spans may overlap. */
MODEL (
  name @{client}_journeys.deal_leads,
  kind VIEW,
  grain (conversion_id, lead_id, valid_from, valid_until),
  enabled @has_lead_milestone,
  blueprints @clients()
);

WITH deals AS (
  /* what a lead must have been converted to */
  SELECT
    conversion_id,
    UNNEST(
      @IF(@by_account, ['deal ' || conversion_id], ['deal ' || conversion_id, 'account ' || account_id])
    ) AS lead_to,
    valid_from,
    valid_until
  FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
  WHERE
    NOT is_withdrawn
  UNION ALL
  SELECT
    conversion_id,
    'contact ' || contact_id AS lead_to,
    valid_from,
    valid_until
  FROM @optional(@by_account, @client, journeys.deal_contacts) AS deal_contacts
), conversions_of_leads AS (
  SELECT
    *,
    UNNEST(
      [
        'deal ' || converted_opportunity_id,
        'account ' || converted_account_id,
        'contact ' || converted_contact_id
      ]
    ) AS lead_to
  FROM @history(@{client}_staging.stg_leads, lead_id) AS leads
  WHERE
    NOT is_deleted
)
SELECT
  deals.conversion_id, /* The deal or purchase */
  leads.lead_id, /* The lead */
  leads.created_at, /* When the lead was made, UTC */
  GREATEST(deals.valid_from, leads.valid_from) AS valid_from, /* From when it holds: the commit of the version that brought it, UTC */
  LEAST(deals.valid_until, leads.valid_until) AS valid_until /* Until when it holds, UTC, excluded; 9999-12-31 while it does */
FROM deals
JOIN conversions_of_leads AS leads
  ON deals.lead_to = leads.lead_to
  AND deals.valid_from < leads.valid_until
  AND deals.valid_until > leads.valid_from
