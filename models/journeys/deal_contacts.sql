/* Which contacts take part in a deal, and while they did: those of its account, or with a role on it. One row per deal, contact, and time that the CRM said so. */
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
    loaded_at,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY conversion_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS replaced_at
  FROM @{client}_journeys.conversions
), participants AS (
  SELECT
    contact_id,
    account_id AS contact_of,
    @takes_all_contacts AND NOT is_deleted AS counts,
    loaded_at,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY contact_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS replaced_at
  FROM @{client}_staging.stg_contacts
  UNION ALL
  SELECT
    contact_id,
    opportunity_id AS contact_of,
    NOT @takes_all_contacts AND (@SQL(@role_counts)) AND NOT is_deleted AS counts,
    loaded_at,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY contact_role_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS replaced_at
  FROM @{client}_staging.stg_contact_roles
)
SELECT
  deals.conversion_id, /* The deal */
  participants.contact_id, /* Who took part */
  GREATEST(deals.loaded_at, participants.loaded_at) AS valid_from, /* When what says so was committed, UTC */
  LEAST(deals.replaced_at, participants.replaced_at) AS valid_until /* When it was replaced, UTC, excluded; far ahead while it is not */
FROM deals
JOIN participants
  ON deals.contacts_of = participants.contact_of
  AND deals.loaded_at < participants.replaced_at
  AND deals.replaced_at > participants.loaded_at
WHERE
  participants.counts AND NOT deals.is_withdrawn
