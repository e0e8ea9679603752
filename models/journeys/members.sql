/* Whose touchpoints belong to a conversion, by the names the site has for them, and while they did. One row per conversion, customer and span of validity; spans may overlap. */
MODEL (
  name @{client}_journeys.members,
  kind VIEW,
  grain (conversion_id, customer_id, valid_from, valid_until),
  enabled @by_account,
  blueprints @clients()
);

WITH names AS (
  SELECT
    contact_id,
    email,
    UNNEST(@IF(@matches_email, [contact_id, email], [contact_id])) AS customer_id,
    valid_from,
    valid_until
  FROM @history(@{client}_staging.stg_contacts, contact_id) AS contacts
  WHERE
    NOT is_deleted
  UNION ALL
  SELECT
    /* a lead that was converted is its contact */
    converted_contact_id AS contact_id,
    email,
    UNNEST(@IF(@matches_email, [lead_id, email], [lead_id])) AS customer_id,
    valid_from,
    valid_until
  FROM @history(@{client}_staging.stg_leads, lead_id) AS leads
  WHERE
    NOT is_deleted
), counted_names AS (
  SELECT
    *
  FROM names
  WHERE
    NOT customer_id IS NULL AND @SQL(@excluded_people) IS NULL
)
SELECT
  deal_contacts.conversion_id, /* The deal or purchase */
  LOWER(names.customer_id) AS customer_id, /* As the site may name the person, in small letters */
  GREATEST(deal_contacts.valid_from, names.valid_from) AS valid_from, /* From when it holds: the commit of the version that brought it, UTC */
  LEAST(deal_contacts.valid_until, names.valid_until) AS valid_until /* Until when it holds, UTC, excluded; 9999-12-31 while it does */
FROM @{client}_journeys.deal_contacts AS deal_contacts
JOIN counted_names AS names
  ON deal_contacts.contact_id = names.contact_id
  AND deal_contacts.valid_from < names.valid_until
  AND deal_contacts.valid_until > names.valid_from
UNION ALL
SELECT
  conversion_id,
  LOWER(customer_id) AS customer_id,
  valid_from,
  valid_until
FROM @history(@{client}_journeys.conversions, conversion_id) AS own_customers
WHERE
  NOT customer_id IS NULL AND NOT is_withdrawn
