"""Measure what learning costs: `python benchmarks/training_cost.py --paths 1000000 --python other/bin/python`.

Markov chains and Shapley values from journeys to channels' values, beside the libraries that an
analyst would install: ChannelAttribution (simulated Markov chains, C++) and DP6's
marketing-attribution-models (both, exact). `--python` is an interpreter that has them: they are no
part of this project. Each side reads the same Parquet file in a process of its own; CPU seconds and
peak memory are those of the work, start-up left out of the seconds.

Agreement is the largest difference of a channel's share of all conversions. ChannelAttribution
simulates until its results vary by less than `--precision` between repetitions, so it nears ours.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parent.parent

# Journeys over GA4's twelve commonest channels, the earlier the more often, one to eight steps long, no
# channel twice in a row; the likelier to convert, the longer, and where the second channel is in it.
JOURNEYS = """
WITH drawn AS (
  SELECT i, 1 + (hash(i, 'length') % 8) * (hash(i, 'short') % 3 > 0)::INT AS steps,
    list_transform(range(8), lambda s: ['Paid Search', 'Direct', 'Organic Search', 'Email', 'Referral',
      'Paid Social', 'Organic Social', 'Display', 'Affiliates', 'Video', 'Shopping', 'SMS'
    ][1 + (12 * pow((hash(i, s) % 100000) / 100000.0, 2))::INT % 12]) AS channels
  FROM range({paths}) AS numbers(i)
), whole AS (
  SELECT i, list_filter(channels[1:steps], lambda c, s: s = 1 OR c <> channels[s - 1]) AS path FROM drawn
)
SELECT path, converts::INT AS conversions, 1 - converts::INT AS nulls FROM (
  SELECT path, hash(i, 'converts') % 100 < 2 * len(path) + 6 * list_contains(path, 'Email')::INT AS converts
  FROM whole
)
"""

# A process of its own: it prints CPU seconds, peak MiB and the channels' shares.
PROCESS = """
import json, resource, sys
{imports}
def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = seconds()
{work}
memory = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))
peak = int(memory.split()[1]) / 1024
total = sum(shares.values())
print()
print(json.dumps([seconds() - start, peak, {{name: share / total for name, share in shares.items()}}]))
"""

OURS = """
import duckdb
from pipelines.learning.markov import removal_effects
from pipelines.learning.shapley import shapley
duckdb.execute("SELECT 1").to_arrow_table()
duckdb.execute("SELECT 1").fetchnumpy()  # it loads pandas
"""
READ = "paths = duckdb.read_parquet('paths.parquet').to_arrow_table()\n"
SHARES = "shares = dict(zip(learnt['channel'].to_pylist(), learnt['value'].to_pylist()))"
MARKOV = READ + "learnt = removal_effects(paths, {order})\n" + SHARES
SHAPLEY = READ + "learnt = shapley(paths, '{worth}')\n" + SHARES

CHANNELATTRIBUTION = """
import duckdb
import pandas as pd
from ChannelAttribution import markov_model
"""
# It wants rows of texts; max_step as high as it must be for no journey to be cut.
SIMULATED = """
rows = duckdb.sql('''SELECT array_to_string(path, ' > ') AS path, SUM(conversions)::BIGINT AS conversions,
  SUM(nulls)::BIGINT AS nulls FROM 'paths.parquet' GROUP BY 1''').df()
found = markov_model(rows, 'path', 'conversions', var_null='nulls', order={order}, max_step=10000,
  conv_par={precision}, verbose=False, flg_pro=False)
found = found['result'] if isinstance(found, dict) else found
shares = dict(zip(found['channel_name'], found['total_conversions']))
"""


DP6 = """
import duckdb
from mam.core import MAM
"""
GROUPED = """
rows = duckdb.sql('''SELECT array_to_string(path, ' > ') AS journey, conversions > 0 AS converted,
  COUNT(*) AS occurrences FROM 'paths.parquet' GROUP BY ALL''').df()
model = MAM(df=rows, format_type='grouped_journey', channels_colname='journey',
  journey_with_conv_colname='converted', occurrences_colname='occurrences')
"""
DP6_MARKOV = (
    GROUPED
    + """
found = model.run_markov(transition_to_same_state=False).metadata['removal_effect']
shares = dict(found['removal_effect'])
"""
)
DP6_SHAPLEY = (
    GROUPED
    + """
found = model.run_shapley(max_size=None, value_column='conv_rate').to_polars()
shares = dict(zip(found['channels'], found['attribution']))
"""
)


def main(
    paths: Annotated[int, typer.Option(help="Journeys.")] = 100_000,
    python: Annotated[str, typer.Option(help="A Python with the other libraries, or none.")] = "",
    precision: Annotated[
        list[float] | None, typer.Option(help="Of ChannelAttribution; repeat for more.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each side, in turn; the fastest counts.")] = 3,
) -> None:
    """Print what it costs to learn from journeys."""
    columns = ("model", "CPU-s", "MiB", "beside", "its CPU-s", "its MiB", "ratio", "difference")
    table = Table(*columns, title=f"{paths:,} journeys")
    with tempfile.TemporaryDirectory() as folder:
        duckdb.execute(f"COPY ({JOURNEYS.format(paths=paths)}) TO '{folder}/paths.parquet'")
        for model, ours, others in _contests(precision or [0.05, 0.01]):
            mine = _fastest(folder, sys.executable, OURS, ours, runs)
            cost = (model, f"{mine[0]:.2f}", f"{mine[1]:.0f}")
            if not python or not others:
                table.add_row(*cost)
            for name, (imports, work) in others.items() if python else ():
                table.add_row(
                    *cost, name, *_beside(mine, _fastest(folder, python, imports, work, runs))
                )
    Console(width=120).print(table)


def _contests(precisions: list[float]) -> list[tuple[str, str, dict[str, tuple[str, str]]]]:
    """Return each model's name, our work, and that of other libraries."""
    simulated = [
        (
            f"Markov, order {order}",
            MARKOV.format(order=order),
            {
                f"ChannelAttribution, {precision:g}": (
                    CHANNELATTRIBUTION,
                    SIMULATED.format(order=order, precision=precision),
                )
                for precision in precisions
            },
        )
        for order in (1, 2, 3)
    ]
    simulated[0][2]["DP6"] = (DP6, DP6_MARKOV)
    return [
        *simulated,
        ("Shapley, conversions", SHAPLEY.format(worth="conversions"), {}),
        (
            "Shapley, conversion_rate",
            SHAPLEY.format(worth="conversion_rate"),
            {"DP6": (DP6, DP6_SHAPLEY)},
        ),
    ]


def _beside(mine: list, other: list) -> list[str]:
    """Return what the other library costs, and how far a channel's share is from ours at most."""
    apart = max(abs(share - mine[2].get(name, 0)) for name, share in other[2].items())
    return [f"{other[0]:.2f}", f"{other[1]:.0f}", f"{other[0] / mine[0]:.1f}", f"{apart:.1e}"]


def _fastest(folder: str, python: str, imports: str, work: str, runs: int) -> list:
    return min(
        (_measured(folder, python, imports, work) for _ in range(runs)), key=lambda run: run[0]
    )


def _measured(folder: str, python: str, imports: str, work: str) -> list:
    """Run Python code in a folder; return the CPU seconds, MiB and shares that it prints."""
    done = subprocess.run(
        [python, "-c", PROCESS.format(imports=imports, work=work)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    typer.run(main)
