"""The days whose spend is not there, as ingest kept them with the status of each ad platform."""

from sqlglot import exp
from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.kept_status import kept_status
from pipelines.lake.loads import READING_STAGES


@macro()
def missing_spend(evaluator, client, platforms):
    """Return a row for each day that an ad platform has not delivered: `platform`, `ad_network`, `date`.

    `FROM @missing_spend(@client, @ad_platforms)`, with platforms as `google_ads facebook_ads`.
    """
    from pipelines.contracts.ad_platforms import (  # here, or the model would carry its source
        network,
    )

    rows = []
    for platform in platforms.name.split() if evaluator.runtime_stage in READING_STAGES else []:
        file = home() / "lake" / client.name / platform / "status.json"
        if file.exists():
            days = kept_status(file).get("days_missing") or []
            rows += [
                f"({exp.Literal.string(platform)}, '{network(platform)}', '{day}')" for day in days
            ]
    return (
        "(SELECT platform::TEXT AS platform, ad_network::TEXT AS ad_network, date::DATE AS date FROM (VALUES"
        f" {', '.join(rows) or '(NULL, NULL, NULL)'}) AS missing_spend(platform, ad_network, date)"
        " WHERE NOT platform IS NULL)"
    )
