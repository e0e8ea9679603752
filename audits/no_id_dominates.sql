AUDIT (
  name no_id_dominates,
  dialect duckdb
);

/* No visitor or customer owns more than its share of touchpoints or conversions, where the client is held for that. */
SELECT
  client,
  dominant_ids,
  'take the id out of the exports, add it to nothing: or exclude:, or write quality: {dominant_id: warns} if it is right' AS remedy
FROM @this_model
WHERE
  held_for_ids