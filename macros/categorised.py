"""Say of which category a visit's site is, as Google lists it: search, social, shopping, video."""

from sqlmesh import macro

from pipelines.attribution.channel_sites import category_rows, site

SITES = (
    category_rows()
)  # a text, which is part of a model's version: a new list groups again what it grouped


@macro()
def categorised(evaluator, visits):
    """Return the rows of a relation with `site_category`: `FROM @categorised(visits)`.

    It reads `source` and `referrer`; the category is NULL for a site on no list. A site is looked up
    whole, so `www.facebook.com` is social and `facebook.example.org` is nothing.
    """
    return f"""(
        SELECT visits.*, sites.category AS site_category
        FROM {visits.name} AS visits
        LEFT JOIN {SITES} AS sites
          ON {site("visits.source", "visits.referrer")} = sites.site
    )"""
