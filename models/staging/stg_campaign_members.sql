/* Every version of every campaign member, as it was committed. One row per campaign member and load. */
MODEL (
  name @{client}_staging.stg_campaign_members,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (campaign_member_id, load_id),
  enabled @has_campaign_members,
  blueprints @clients()
);

SELECT
  @salesforce_id(campaign_member_id) AS campaign_member_id, /* The CRM's id */
  campaign, /* The campaign's name */
  campaign_type, /* As the client groups campaigns, such as Webinar */
  @salesforce_id(COALESCE(contact_id, lead_id)) AS person_id, /* The contact, or the lead, in the campaign */
  COALESCE(has_responded::BOOLEAN, FALSE) AS has_responded, /* False while only addressed */
  COALESCE(@utc(first_responded_date, @timezone), @utc(created_at, @timezone)) AS responded_at, /* UTC: the beginning of the day of the first response, or else when the member was added */
  is_deleted, /* True once the CRM says so, or a full export lacks the campaign member */
  COUNT(DISTINCT row_key) OVER (PARTITION BY @salesforce_id(campaign_member_id), load_id) AS rows_in_load, /* Rows of the load under this id: more than 1 where they came in both of Salesforce's forms of it */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, salesforce, campaign_members, (campaign_member_id, campaign, campaign_type, contact_id, lead_id, has_responded, first_responded_date, created_at))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY @salesforce_id(campaign_member_id), load_id ORDER BY ordinal DESC) = 1
