/* Whose touchpoints belong to a conversion, by the names the site has for them, and while they did. One row per conversion, customer, and time that something said so; times may overlap. */
MODEL (
  name @{client}_journeys.members,
  kind VIEW,
  grain (conversion_id, customer_id, valid_from, valid_until),
  enabled @by_account,
  blueprints @clients()
);

WITH contact_versions AS (
  SELECT
    contact_id,
    email,
    is_deleted,
    loaded_at,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY contact_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS replaced_at
  FROM @{client}_staging.stg_contacts
), lead_versions AS (
  /* a lead that was converted is its contact */
  SELECT
    converted_contact_id AS contact_id,
    lead_id,
    email,
    is_deleted,
    loaded_at,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY lead_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS replaced_at
  FROM @{client}_staging.stg_leads
), names AS (
  SELECT
    contact_id,
    UNNEST(@IF(@matches_email, [contact_id, email], [contact_id])) AS customer_id,
    loaded_at,
    replaced_at
  FROM contact_versions
  WHERE
    NOT is_deleted
  UNION ALL
  SELECT
    contact_id,
    UNNEST(@IF(@matches_email, [lead_id, email], [lead_id])) AS customer_id,
    loaded_at,
    replaced_at
  FROM lead_versions
  WHERE
    NOT is_deleted
), own_customers AS (
  SELECT
    conversion_id,
    customer_id,
    is_withdrawn,
    loaded_at AS valid_from,
    COALESCE(LEAD(loaded_at) OVER (PARTITION BY conversion_id ORDER BY loaded_at), '9999-12-31'::TIMESTAMP) AS valid_until
  FROM @{client}_journeys.conversions
)
SELECT
  deal_contacts.conversion_id, /* A deal or a purchase */
  LOWER(names.customer_id) AS customer_id, /* As the site may name the person, in small letters */
  GREATEST(deal_contacts.valid_from, names.loaded_at) AS valid_from, /* When what says so was committed, UTC */
  LEAST(deal_contacts.valid_until, names.replaced_at) AS valid_until /* When it was replaced, UTC, excluded; far ahead while it is not */
FROM @{client}_journeys.deal_contacts AS deal_contacts
JOIN names
  ON deal_contacts.contact_id = names.contact_id
  AND deal_contacts.valid_from < names.replaced_at
  AND deal_contacts.valid_until > names.loaded_at
WHERE
  NOT names.customer_id IS NULL
UNION ALL
SELECT
  conversion_id,
  LOWER(customer_id) AS customer_id,
  valid_from,
  valid_until
FROM own_customers
WHERE
  NOT customer_id IS NULL AND NOT is_withdrawn
