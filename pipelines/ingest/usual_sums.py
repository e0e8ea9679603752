"""Flag sums that are far off their usual: money in micros or cents, counts in thousands.

A value is compared with the median of its like in the lake: a campaign's cost with what a day of
that campaign costs. A hundred times as much is no good day, it is another unit; ten times may be
Black Friday. What is flagged is taken and published, and said until it is replaced.
"""

from pipelines.contracts.contract import Contract
from pipelines.settings.client import Client
from pipelines.settings.currencies import minor_digits
from pipelines.sql import literal

FAR = 50  # times the usual, or a fiftieth of it
KNOWN = 10  # values that must be known before anything is usual
SEVERAL = 5  # new values that tell, where one alone may be anything
DEAR_CLICK = 10_000  # a click that costs more, in euros or the like, is counted in micros
DEAR_DAY = 1_000_000  # likewise a campaign's day, where clicks are not delivered


def unusual(contract: Contract, client: Client, usual: str) -> str:
    """Return SQL for a note on each batch with sums far off their usual: `export_file`, `note`.

    `usual` is a relation of the rows that say what is usual. What is new is in `delivered`, less the
    rows that are `unchanged`.
    """
    measures = [
        name
        for name, column in contract.columns.items()
        if column.type in ("money", "integer", "rate") and not column.own_unit
    ]
    if not measures:
        return "SELECT '' AS export_file, '' AS note WHERE FALSE"
    money = ", ".join(literal(name) for name in measures if contract.columns[name].is_money) or "''"
    new = "(FROM delivered ANTI JOIN unchanged USING (ordinal) WHERE reason IS NULL)"
    notes = f"""
      WITH usual AS (
        SELECT alike, measure, MEDIAN(value) AS usual FROM {_values(contract, measures, usual)}
        GROUP BY ALL HAVING COUNT(*) >= {KNOWN}
      ), compared AS (
        SELECT export_file, measure, MEDIAN(value / usual) AS times,
        measure IN ({money}) AS is_money
        FROM {_values(contract, measures, new)} JOIN usual USING (alike, measure)
        GROUP BY ALL HAVING COUNT(*) >= {1 if contract.compared_by else SEVERAL}
      )
      SELECT export_file, measure, {_NOTE} AS note FROM compared
      WHERE NOT times BETWEEN {1 / FAR} AND {FAR}"""
    if {"cost", "clicks"} <= contract.columns.keys():
        notes = f"{notes} UNION ALL {_implausible(client, new)}"
    if contract.converts == "TRUE":
        notes = f"{notes} UNION ALL {_dear(client, new)}"
    return f"""SELECT export_file, STRING_AGG(note, '; ' ORDER BY measure) AS note
      FROM (SELECT export_file, measure, MAX(note) AS note FROM ({notes}) GROUP BY ALL)
      GROUP BY export_file"""


def _values(contract: Contract, measures: list[str], rows: str) -> str:
    """Return SQL for every value that is not 0: whose it is, what it measures, and how large it is."""
    alike = [name for name in ("currency", *contract.compared_by) if name in contract.columns]
    structs = ", ".join(
        f"{{measure: '{name}', value: ABS(TRY_CAST({name} AS DOUBLE))}}" for name in measures
    )
    return f"""(
      SELECT export_file, alike, one.measure, one.value FROM (
        SELECT export_file, [{", ".join(alike)}]::TEXT[] AS alike, UNNEST([{structs}]) AS one
        FROM {rows}
      ) WHERE one.value > 0
    )"""


def _implausible(client: Client, new: str) -> str:
    """Return SQL for notes on costs beyond any sense, which need nothing to compare with.

    Of a currency without cents, as JPY, a unit is worth a hundredth, so a hundred times counts.
    """
    units = _units(client)
    return f"""
      SELECT export_file, 'cost' AS measure,
      CONCAT('a ', CASE WHEN clicks > 0 THEN 'click' ELSE 'row' END, ' costs ',
        FORMAT('{{:,.2f}}', (CASE WHEN clicks > 0 THEN cost / clicks ELSE usual END)::DOUBLE),
        '; is it in micros?') AS note
      FROM (
        SELECT export_file, SUM(ABS(cost)) AS cost, SUM(clicks) AS clicks, MEDIAN(cost) AS usual
        FROM (
          SELECT export_file, TRY_CAST(cost AS DOUBLE) / {units} AS cost,
          TRY_CAST(clicks AS BIGINT) AS clicks FROM {new}
        ) WHERE cost <> 0 GROUP BY export_file
      ) WHERE cost / NULLIF(clicks, 0) >= {DEAR_CLICK}
      OR COALESCE(clicks, 0) = 0 AND usual >= {DEAR_DAY}"""


def _dear(client: Client, new: str) -> str:
    """Return SQL for notes on orders of which half are worth a million and more: of shops, none is."""
    return f"""
      SELECT export_file, 'revenue' AS measure,
      CONCAT('revenue is ', FORMAT('{{:,.2f}}', usual), ' in the middle row; is it in micros?') AS note
      FROM (
        SELECT export_file, MEDIAN(ABS(TRY_CAST(revenue AS DOUBLE)) / {_units(client)}) AS usual
        FROM {new} GROUP BY export_file
      ) WHERE usual >= {DEAR_DAY}"""


def _units(client: Client) -> str:
    """Return SQL for how many units of a row's currency are worth one of a currency with cents."""
    small = tuple(code for code, digits in minor_digits().items() if digits == 0)
    own = literal(client.currency)
    return f"CASE WHEN COALESCE(currency, {own}) IN {small} THEN 100 ELSE 1 END"


_HINT = """CASE
  WHEN NOT is_money THEN ''
  WHEN times > 10000 THEN '; is it in micros?'
  WHEN times BETWEEN 50 AND 200 THEN '; is it in cents?'
  ELSE '' END"""

_NOTE = f"""CONCAT(measure, ' is ',
  CASE WHEN times > 1 THEN FORMAT('{{:,.0f}} times', times)
  ELSE FORMAT('1/{{:,.0f}} of', 1 / times) END, ' what is usual', {_HINT})"""
