"""What the service says of each touchpoint, where it computes IHC."""

from sqlmesh import ExecutionContext, model
from sqlmesh.core.model.kind import ModelKindName


@model(
    "@{client}_attribution.ihc_answers",
    kind={"name": ModelKindName.INCREMENTAL_BY_TIME_RANGE, "time_column": "revised_at"},
    description="What the IHC service answered for each touchpoint, as it answered; no rows where"
    " the local model computes IHC. One row per conversion, touchpoint and revision.",
    grains=["(conversion_id, touchpoint_id, revised_at)"],
    enabled="@asks_ihc",
    blueprints="@clients()",
    columns={
        "conversion_id": "TEXT",
        "touchpoint_id": "TEXT",
        "initializer": "DOUBLE",
        "holder": "DOUBLE",
        "closer": "DOUBLE",
        "ihc": "DOUBLE",
        "method": "TEXT",
        "problem": "TEXT",
        "revised_at": "TIMESTAMP",
    },
    column_descriptions={
        "conversion_id": "The conversion being explained",
        "touchpoint_id": "The service's session_id",
        "initializer": "Share of the first phase, to 4 decimals; NULL where it was not asked for",
        "holder": "Share of the second phase; NULL where it was not asked for",
        "closer": "Share of the third phase; NULL where it was not asked for",
        "ihc": "Share of the conversion; sums to 1 but for the rounding",
        "method": "service, or local and why the service's answer is not there",
        "problem": "The service's own words on a journey that it could not read",
        "revised_at": "Of the revision being scored; UTC",
    },
)
def execute(context: ExecutionContext, start, end, execution_time, **_):
    """Yield the answers to the journeys that were revised in an interval.

    A journey is asked for once, as its answer is kept: another run gives the same rows.
    """
    from pipelines.ihc.service_answers import answers  # here, or the model would carry its source

    if context.blueprint_var("ihc_by").name != "service":
        return
    paths = context.resolve_table(f"{context.blueprint_var('client').name}_journeys.paths")
    local = context.resolve_table(f"{context.blueprint_var('client').name}_attribution.ihc_local")
    touchpoints = context.fetchdf(
        f"""SELECT paths.conversion_id, paths.touchpoint_id, paths.revised_at, paths.touched_at,
        paths.channel, paths.holder_engagement, paths.closer_engagement, paths.position,
        paths.path_length, local.is_current
        FROM {paths} AS paths
        JOIN {local} AS local
          ON paths.conversion_id = local.conversion_id
          AND paths.touchpoint_id = local.touchpoint_id
          AND paths.revised_at = local.revised_at
        WHERE paths.revised_at BETWEEN '{start:%Y-%m-%d %H:%M:%S.%f}' AND '{end:%Y-%m-%d %H:%M:%S.%f}'"""
    )
    labels = context.fetchdf(f"SELECT DISTINCT channel FROM {paths} WHERE path_length > 0")
    if len(touchpoints):
        client = context.blueprint_var("client_name").name
        request = context.blueprint_var("ihc_request").name
        yield answers(client, request, touchpoints, sorted(labels["channel"]))
