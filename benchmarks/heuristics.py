"""Measure what credit costs by all heuristics at once: `python benchmarks/heuristics.py --sessions 1000000`.

The product's own query, as SQLMesh renders it, beside the fastest SQL that we could write by hand for
these models alone, polars and pandas. Each reads the same paths from Parquet in a process of its own,
and writes every path's columns with model, credit and attributed cents: wall and CPU seconds, start-up
left out, peak memory, and how far its credit and its cents are from ours. One session in ten converts,
by a path of 1 to 12 touchpoints. polars is in benchmarks/requirements.in.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))

MODELS = (
    *("linear", "first_touch", "last_touch", "last_non_direct", "position_based"),
    *("j_shaped", "inverse_j", "time_decay"),
)
CLIENT = f"""
name: Bench
currency: EUR
attribution: {{model: linear, compare: [{", ".join(MODELS[1:])}]}}
sources: {{web: {{sessions: {{files: none}}}}}}
"""
CARRIED = (
    *(
        "conversion_id",
        "conversion_type",
        "touchpoint_id",
        "customer_id",
        "converted_at",
        "touched_at",
    ),
    *("channel", "campaign", "position", "path_length", "revenue", "revised_at"),
)
PATHS = """
WITH conversions AS (
  SELECT i, printf('conversion-%08d', i) AS conversion_id, 1 + (hash(i, 1) % 12)::BIGINT AS path_length,
    TIMESTAMP '2026-03-01' + to_seconds((hash(i, 2) % 15000000)::BIGINT) AS converted_at,
    ((hash(i, 3) % 50000)::DECIMAL(18, 2) / 100)::DECIMAL(18, 2) AS revenue
  FROM range({sessions} // 10) AS numbers(i)
), touchpoints AS (
  SELECT *, unnest(range(1, path_length + 1)) AS position FROM conversions
), aged AS (
  SELECT *, hash(i, position, 5) % 6 = 0 AS is_direct,
    ((path_length - position) * 216000 + (hash(i, position, 4) % 200000)::BIGINT) AS age_seconds
  FROM touchpoints
)
SELECT conversion_id, 'purchase' AS conversion_type, printf('session-%08d-%02d', i, position) AS touchpoint_id,
  concat('customer-', i) AS customer_id, converted_at, revenue,
  converted_at - to_seconds(age_seconds) AS touched_at,
  CASE WHEN is_direct THEN 'Direct' ELSE 'Email' END AS channel,
  concat('campaign ', hash(i, position, 6) % 50) AS campaign, is_direct,
  bool_and(is_direct) OVER whole AS path_is_direct, position, path_length,
  count(*) FILTER (NOT is_direct) OVER (
    PARTITION BY i ORDER BY position ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
  ) AS non_direct_after,
  age_seconds, min(age_seconds) OVER whole AS newest_age_seconds, TIMESTAMP '2026-09-01' AS revised_at
FROM aged WINDOW whole AS (PARTITION BY i) ORDER BY hash(conversion_id), touchpoint_id
"""

# A process of its own: it prints the wall and CPU seconds of its work, and its peak memory in MiB.
PROCESS = """
import json, resource, time
{imports}
def used():
    seconds = resource.getrusage(resource.RUSAGE_SELF)
    return seconds.ru_utime + seconds.ru_stime
wall, cpu = time.perf_counter(), used()
{work}
spent = time.perf_counter() - wall, used() - cpu
peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(json.dumps([*spent, int(peak.split()[1]) / 1024]))
"""
SQL = """
connection = duckdb.connect('{name}.duckdb')
connection.execute("SET VARIABLE start_ts = TIMESTAMP '2026-09-01'")
connection.execute("SET VARIABLE end_ts = TIMESTAMP '2026-09-02'")
connection.execute('''COPY (
  SELECT {carried}, model, credit, (attributed_revenue * 100)::BIGINT AS cents
  FROM ({query})
) TO '{name}.parquet' ''')
"""
# For these models alone: shares in closed form, integers for keys, one sort.
BY_HAND = """
WITH summed AS (
  SELECT *, row_number() OVER (ORDER BY conversion_id, position) AS number,
    power(2::DOUBLE, -(age_seconds - newest_age_seconds) / 604800.0::DOUBLE) AS decay,
    sum(power(2::DOUBLE, -(age_seconds - newest_age_seconds) / 604800.0::DOUBLE)::DECIMAL(38, 18))
      OVER (PARTITION BY conversion_id)::DOUBLE AS decays
  FROM 'paths.parquet'
), shared AS (
  SELECT summed.number, (summed.number - position) * 10 + models.number AS share, model,
    (revenue * 100)::BIGINT AS cents,
    CASE model
      WHEN 'linear' THEN 1::DOUBLE / path_length
      WHEN 'first_touch' THEN (position = 1)::INT::DOUBLE
      WHEN 'last_touch' THEN (position = path_length)::INT::DOUBLE
      WHEN 'last_non_direct' THEN CASE WHEN path_is_direct THEN position = path_length
        ELSE NOT is_direct AND non_direct_after = 0 END::INT::DOUBLE
      WHEN 'time_decay' THEN decay / decays
      ELSE CASE WHEN path_length = 1 THEN 1 WHEN path_length = 2
          THEN CASE WHEN position = 1 THEN first ELSE last END::DOUBLE / (first + last)
        WHEN position = 1 THEN first WHEN position = path_length THEN last
        ELSE 0.2::DOUBLE / (path_length - 2) END
    END AS credit
  FROM summed CROSS JOIN (VALUES (0, 'linear', NULL, NULL), (1, 'first_touch', NULL, NULL),
    (2, 'last_touch', NULL, NULL), (3, 'last_non_direct', NULL, NULL), (4, 'position_based', 0.4, 0.4),
    (5, 'j_shaped', 0.2, 0.6), (6, 'inverse_j', 0.6, 0.2), (7, 'time_decay', NULL, NULL)
  ) AS models(number, model, first, last)
), rounded AS (
  SELECT number, share, model, cents, credit, floor(credit * cents)::BIGINT AS whole,
    round((credit * cents - floor(credit * cents)) * 1e6)::BIGINT * 10000000000 - number AS remainder
  FROM shared
), thresholds AS (
  SELECT share,
    list_reverse_sort(list(remainder))[(any_value(cents) - sum(whole))::BIGINT] AS least_remainder
  FROM rounded GROUP BY share
), paid AS (
  SELECT number, model, credit, whole + coalesce(remainder >= least_remainder, false)::INT AS units
  FROM rounded JOIN thresholds USING (share)
)
SELECT {carried}, model, credit, (units / 100)::DECIMAL(18, 2) AS attributed_revenue
FROM paid JOIN summed USING (number)
"""
PANDAS = """
read = ['conversion_id', 'position', 'path_length', 'is_direct', 'path_is_direct', 'non_direct_after',
  'age_seconds', 'newest_age_seconds']
table = pyarrow.parquet.read_table('paths.parquet')
cents = pyarrow.compute.multiply(table['revenue'], 100).cast('int64').to_numpy()
paths = table.select(read).to_pandas().assign(cents=cents).sort_values(['conversion_id', 'position'])
carried = table.select({carried}).take(pyarrow.array(paths.index))
position, length, cents = (paths[name].to_numpy() for name in ('position', 'path_length', 'cents'))
path = np.cumsum(position == 1) - 1
first, last, middle = position == 1, position == length, np.maximum(length - 2, 1)
non_direct = ~paths.is_direct & (paths.non_direct_after == 0)
def ends(start, end):
    return np.where(length == 1, 1, np.where(first, start, np.where(last, end, 0.2 / middle)))
weights = {'linear': np.ones(len(paths)), 'first_touch': first * 1.0, 'last_touch': last * 1.0,
  'last_non_direct': np.where(paths.path_is_direct, last, non_direct) * 1.0,
  'position_based': ends(0.4, 0.4), 'j_shaped': ends(0.2, 0.6), 'inverse_j': ends(0.6, 0.2),
  'time_decay': np.exp2(-(paths.age_seconds - paths.newest_age_seconds).to_numpy() / 604800)}
writer = None
for model, weight in weights.items():
    credit = weight / np.bincount(path, weight)[path]
    whole = np.floor(credit * cents)
    remainder = np.round(credit * cents - whole, 6)
    order = np.lexsort((position, -remainder, path))
    rank = np.empty(len(paths), 'int64')
    rank[order] = position  # sorted by path, the ranks are where the positions were
    units = (whole + (rank <= (cents - np.bincount(path, whole)[path]))).astype('int64')
    table = carried.append_column('model', pyarrow.array([model] * len(paths)))
    table = table.append_column('credit', pyarrow.array(credit))
    table = table.append_column('cents', pyarrow.array(units))
    writer = writer or pyarrow.parquet.ParquetWriter('pandas.parquet', table.schema)
    writer.write_table(table)
writer.close()
"""
POLARS = """
col, when, lit = pl.col, pl.when, pl.lit
first, last = col('position') == 1, col('position') == col('path_length')
def ends(start, end):
    middle = 0.2 / (col('path_length') - 2)
    return (when(col('path_length') == 1).then(1.0).when(first).then(start).when(last).then(end)
      .otherwise(middle))
weights = {'linear': lit(1.0), 'first_touch': first.cast(float), 'last_touch': last.cast(float),
  'last_non_direct': when('path_is_direct').then(last).otherwise(
    ~col('is_direct') & (col('non_direct_after') == 0)).cast(float),
  'position_based': ends(0.4, 0.4), 'j_shaped': ends(0.2, 0.6), 'inverse_j': ends(0.6, 0.2),
  'time_decay': (-(col('age_seconds') - col('newest_age_seconds')) / 604800 * np.log(2)).exp()}
paths = (pl.scan_parquet('paths.parquet').sort('conversion_id', 'position')
  .with_columns(path=(first.cast(pl.Int64).cum_sum()), cents=(col('revenue') * 100).cast(pl.Int64)))
paths = paths.collect().lazy()
shared = [paths.select(*{carried}, 'path', 'cents', model=lit(model),
    credit=weight / weight.sum().over('path') if model != 'linear' else 1 / col('path_length'))
  for model, weight in weights.items()]
parts = [part.with_columns(whole=(col('credit') * col('cents')).floor())
  .with_columns(remainder=(col('credit') * col('cents') - col('whole')).round(6))
  .with_columns(rank=col('remainder').rank('ordinal', descending=True).over('path'))
  .select(*{carried}, 'model', 'credit', cents=(col('whole')
    + (col('rank') <= col('cents') - col('whole').sum().over('path'))).cast(pl.Int64))
  for part in shared]
pl.concat(parts).collect().write_parquet('polars.parquet')
"""


def main(
    sessions: Annotated[int, typer.Option(help="Sessions, of which one in ten converts.")] = 10**6,
    only: Annotated[list[str] | None, typer.Option(help="Measure ours and these alone.")] = None,
) -> None:
    """Print what credit costs."""
    table = Table("by", "rows", "wall s", "CPU s", "peak MiB", "CPU to ours", "off by", "cents off")
    with tempfile.TemporaryDirectory() as folder:
        duckdb.execute(f"COPY ({PATHS.format(sessions=sessions)}) TO '{folder}/paths.parquet'")
        ours = None
        for name, (imports, work) in _contenders(folder).items():
            if only and name not in (*only, "ours"):
                continue
            if name == "polars" and not find_spec("polars"):
                table.add_row(name, "pip install -r benchmarks/requirements.in")
                continue
            wall, cpu, peak = _measured(folder, imports, work)
            ours = ours or cpu
            rows, off, cents = _compared(folder, name)
            shown = (f"{wall:.1f}", f"{cpu:.1f}", f"{peak:.0f}", f"{cpu / ours:.2f}", f"{off:.0e}")
            table.add_row(name, f"{rows:,}", *shown, str(cents))
    Console(width=110).print(table)


def _contenders(folder: str) -> dict[str, tuple[str, str]]:
    """Return for each name what it imports and what it does."""
    columns, names = ", ".join(CARRIED), list(CARRIED)
    by_hand = BY_HAND.format(carried=columns)
    return {
        "ours": ("import duckdb", SQL.format(name="ours", carried=columns, query=_ours(folder))),
        "by_hand": ("import duckdb", SQL.format(name="by_hand", carried=columns, query=by_hand)),
        "polars": ("import polars as pl, numpy as np", POLARS.replace("{carried}", str(names))),
        "pandas": (
            "import pandas, numpy as np, pyarrow.parquet, pyarrow.compute",
            PANDAS.replace("{carried}", str(names)),
        ),
    }


def _ours(folder: str) -> str:
    """Return the credit model's query as SQLMesh renders it, on the benchmark's paths."""
    os.environ |= {"ATTRIBUTION_HOME": folder, "SHARD": "home"}
    os.chdir(PROJECT)
    Path(folder, "clients").mkdir()
    Path(folder, "clients/bench.yaml").write_text(CLIENT)
    from tests.rendered import render

    query = render("bench")["bench"].queries["attribution.credit"]
    return query.replace('"home"."bench_journeys"."paths"', "'paths.parquet'")


def _measured(folder: str, imports: str, work: str) -> list[float]:
    """Run Python code in a folder; return the wall and CPU seconds and the MiB that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS.format(imports=imports, work=work)],
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _compared(folder: str, name: str) -> tuple[int, float, int]:
    """Return the rows, the largest difference of a credit from ours, and the rows with other cents."""
    return duckdb.execute(
        f"""SELECT count(*), max(abs(theirs.credit - ours.credit)),
          count(*) FILTER (theirs.cents IS DISTINCT FROM ours.cents)
        FROM '{folder}/{name}.parquet' AS theirs
        FULL JOIN '{folder}/ours.parquet' AS ours USING (conversion_id, touchpoint_id, model)"""
    ).fetchone()


if __name__ == "__main__":
    typer.run(main)
