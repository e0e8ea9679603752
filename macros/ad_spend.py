"""The spend of every ad platform that a client has or had."""

from sqlglot import exp
from sqlmesh import macro

from macros.raw import raw


@macro()
def ad_spend(evaluator, client, platforms, columns):
    """Return what `@raw` returns of each platform's spend, with the `platform` beside it.

    `FROM @ad_spend(@client, @ad_platforms, (spend_date, cost))`, with platforms as `google_ads
    facebook_ads`. A client without ads gets no rows.
    """
    spend = exp.column("spend")
    rows = (
        f"SELECT '{platform}' AS platform, *"
        f" FROM {raw(evaluator, client, exp.column(platform), spend, columns)} AS {platform}"
        for platform in platforms.name.split() or ["no_ads"]
    )
    return f"({' UNION ALL '.join(rows)})"
