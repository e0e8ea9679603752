"""The spend of every ad platform that a client has or had."""

from sqlglot import exp
from sqlmesh import macro

from macros.raw import raw


@macro()
def ad_spend(evaluator, client, platforms, columns):
    """Return what `@raw` returns of each platform's spend, with the `platform` and its `ad_network` beside it.

    `FROM @ad_spend(@client, @ad_platforms, (spend_date, cost))`, with platforms as `google_ads
    facebook_ads`. A client without ads gets no rows.
    """
    from pipelines.contracts.ad_platforms import (  # here, or the model would carry its source
        network,
    )

    spend = exp.column("spend")
    rows = (
        f"SELECT '{platform}' AS platform, '{network(platform)}' AS ad_network, *"
        f" FROM {raw(evaluator, client, exp.column(platform), spend, columns)} AS {platform}"
        for platform in platforms.name.split() or ["_"]
    )
    return f"({' UNION ALL '.join(rows)})"
