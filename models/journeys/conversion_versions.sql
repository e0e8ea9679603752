/* Every version of every conversion, without those that the client leaves out, and with the customer of whom only the first may count. One row per conversion and load. */
MODEL (
  name @{client}_journeys.conversion_versions,
  kind EMBEDDED,
  grain (conversion_id, loaded_at),
  blueprints @clients()
);

SELECT
  conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  customer_id, /* Whose touchpoints count; NULL if unknown */
  account_id, /* The deal's account, or its customer where the CRM names none; NULL for other conversions */
  opened_at, /* When the opportunity was made, UTC; NULL if unknown */
  milestone_1, /* A date of the client's own, UTC; NULL if not reached */
  milestone_2, /* The same, another */
  milestone_3, /* The same, another */
  converted_at, /* UTC; NULL while a deal is open */
  revenue, /* The amount in the source; 0 where it has none */
  currency, /* Of the amount in the source */
  is_withdrawn OR NOT COALESCE(excluded_by, @SQL(@excluded_customers)) IS NULL AS is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  CASE
    WHEN NOT is_withdrawn
    THEN COALESCE(excluded_by, @SQL(@excluded_customers))
  END AS excluded_by, /* The rule of the client's `exclude` that leaves it out; NULL where none does */
  CASE
    WHEN @SQL(@counts_first)
    THEN @IF(@by_account, COALESCE(account_id, customer_id), customer_id)
  END AS first_of, /* Of whose conversions of the type only the first counts; NULL where every one does */
  loaded_at /* When this version was committed, UTC */
FROM @{client}_journeys.delivered_conversions