"""Find out how a batch writes days that can be read in two ways, such as 1/11/2026, from all of them together.

31/10/2026 beside it tells that the day comes first. Where none tells, somebody has to say it.
"""

import duckdb

from pipelines.ingest.judged_rows import Judged
from pipelines.settings.apis import Api
from pipelines.sources.batches import Remedy
from pipelines.sources.times import EXCEL
from pipelines.sql import only_row

_IN_PARTS = "([0-9]{1,2})([/-])([0-9]{1,2})[/-]([0-9]{4}|[0-9]{2})(?:[T ,].*)?"
_BY_EXCEL = "[2-6][0-9]{4}([.][0-9]+)?"
_MONTHS = 12


def remedies(connection: duckdb.DuckDBPyConnection, judged: Judged) -> list[Remedy]:
    """Return the settings that may read the days of a batch, as all of its bad rows write them."""
    times = [
        name for name, each in judged.contract.columns.items() if each.type in ("timestamp", "date")
    ]
    if isinstance(judged.feed, Api) or judged.feed.date_format or not times:
        return []
    values = " UNION ALL ".join(f"SELECT {name} AS day FROM {judged.bad} AS bad" for name in times)
    parts = [f"REGEXP_EXTRACT(day, '^{_IN_PARTS}$', {group})" for group in range(1, 5)]
    count, by_excel, first, second, mark, year, example = only_row(
        connection.execute(
            f"""SELECT COUNT(*) FILTER (is_day), COUNT(*) FILTER (REGEXP_FULL_MATCH(day, '{_BY_EXCEL}')),
            MAX(TRY_CAST({parts[0]} AS INT)) FILTER (is_day), MAX(TRY_CAST({parts[2]} AS INT)) FILTER (is_day),
            MIN({parts[1]}) FILTER (is_day), MAX(STRLEN({parts[3]})) FILTER (is_day), MIN(day) FILTER (is_day)
            FROM (SELECT day, REGEXP_FULL_MATCH(day, '{_IN_PARTS}') AS is_day FROM ({values}))"""
        )
    )
    if not count:
        return [Remedy(f"date_format: {EXCEL}")] if by_excel else []
    last = "%y" if year == 2 else "%Y"
    day_first = Remedy(
        f'date_format: "%d{mark}%m{mark}{last}"', meaning=f"'{example}' has its day first"
    )
    month_first = Remedy(
        f'date_format: "%m{mark}%d{mark}{last}"', meaning=f"'{example}' has its month first"
    )
    if first > _MONTHS or second > _MONTHS:
        known = [day_first] * (second <= _MONTHS) + [month_first] * (first <= _MONTHS)
        return [each._replace(meaning="") for each in known]
    return [day_first, month_first]
