/* Whose touchpoints count for a conversion, and while they did: its own customer, and where journeys are those of accounts, its members. One row per conversion, customer and span of validity; spans may overlap. */
MODEL (
  name @{client}_journeys.conversion_customers,
  kind EMBEDDED,
  grain (conversion_id, customer_id, valid_from, valid_until),
  blueprints @clients()
);

SELECT
  conversion_id, /* The conversion */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  customer_id, /* NULL if unknown */
  converted_at, /* UTC; NULL while a deal is open */
  is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  valid_from, /* From when it holds: the commit of the version that brought it, UTC */
  valid_until /* Until when it holds, UTC, excluded; 9999-12-31 while it does */
FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
UNION ALL
SELECT
  conversions.conversion_id,
  conversions.conversion_type,
  members.customer_id,
  conversions.converted_at,
  conversions.is_withdrawn,
  GREATEST(conversions.valid_from, members.valid_from) AS valid_from,
  LEAST(conversions.valid_until, members.valid_until) AS valid_until
FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
JOIN @optional(@by_account, @client, journeys.members) AS members
  ON conversions.conversion_id = members.conversion_id
  AND conversions.valid_from < members.valid_until
  AND conversions.valid_until > members.valid_from