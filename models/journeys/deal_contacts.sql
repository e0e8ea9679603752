/* Which contacts take part in a deal, and while they did: those of its account, or with a role on it. One row per deal, contact and span of validity. */
MODEL (
  name @{client}_journeys.deal_contacts,
  kind VIEW,
  grain (conversion_id, contact_id, valid_from, valid_until),
  enabled @by_account,
  blueprints @clients()
);

WITH deals AS (
  SELECT
    conversion_id,
    @IF(@takes_all_contacts, account_id, conversion_id) AS contacts_of,
    is_withdrawn,
    valid_from,
    valid_until
  FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
), participants AS (
  SELECT
    contact_id,
    account_id AS contact_of,
    @takes_all_contacts AND NOT is_deleted AS counts,
    valid_from,
    valid_until
  FROM @history(@{client}_staging.stg_contacts, contact_id) AS contacts
  UNION ALL
  SELECT
    contact_id,
    opportunity_id AS contact_of,
    NOT @takes_all_contacts AND (@SQL(@role_counts)) AND NOT is_deleted AS counts, /* such as LOWER(role) IN ('decision maker') */
    valid_from,
    valid_until
  FROM @history(@{client}_staging.stg_contact_roles, contact_role_id) AS contact_roles
)
SELECT
  deals.conversion_id, /* The deal or purchase */
  participants.contact_id, /* Who took part */
  GREATEST(deals.valid_from, participants.valid_from) AS valid_from, /* From when it holds: the commit of the version that brought it, UTC */
  LEAST(deals.valid_until, participants.valid_until) AS valid_until /* Until when it holds, UTC, excluded; 9999-12-31 while it does */
FROM deals
JOIN participants
  ON deals.contacts_of = participants.contact_of
  AND deals.valid_from < participants.valid_until
  AND deals.valid_until > participants.valid_from
WHERE
  participants.counts AND NOT deals.is_withdrawn
