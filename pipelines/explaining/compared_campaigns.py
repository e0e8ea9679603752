"""Compare what channels and campaigns cost and earned, before a change and after it."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

import duckdb

from pipelines.explaining.version_tables import define_version


class Figures(NamedTuple):
    """What a channel, a campaign, or all of them cost and earned."""

    cost: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)  # in conversions
    revenue: Decimal = Decimal(0)

    @property
    def cpa(self) -> Decimal | None:
        """Return the cost per attributed conversion; None without one."""
        return self.cost / self.credit if self.credit else None

    @property
    def roas(self) -> Decimal | None:
        """Return the attributed revenue per unit of cost; None without cost."""
        return self.revenue / self.cost if self.cost else None

    def plus(self, other: "Figures") -> "Figures":
        """Return the sums of both."""
        return Figures(*(one + another for one, another in zip(self, other)))


class Compared(NamedTuple):
    """A campaign before a change and after it."""

    channel: str
    campaign: str
    before: Figures
    after: Figures

    @property
    def is_same(self) -> bool:
        """Return whether nothing moved; credit is a sum of floating numbers, and compared as one."""
        credit = abs(self.before.credit - self.after.credit) < Decimal("1e-6")
        return credit and self.before[::2] == self.after[::2]


_CAMPAIGNS = """
SELECT
  channel, campaign,
  {before}, {after}
FROM (
  SELECT channel, campaign, FALSE AS is_after, cost, conversions, revenue FROM {before_table}
  UNION ALL
  SELECT channel, campaign, TRUE, cost, conversions, revenue FROM {after_table}
)
GROUP BY channel, campaign ORDER BY channel, campaign
"""
_FIGURES = ", ".join(
    f"SUM(CASE WHEN {{is_wanted}} THEN {column} ELSE 0 END)::DECIMAL(38, {digits})"
    for column, digits in (("cost", 6), ("conversions::DECIMAL(38, 12)", 12), ("revenue", 6))
)


def compared(
    rows: Callable[[str], Iterable[tuple]], before_table: str, after_table: str
) -> list[Compared]:
    """Return each campaign of two tables like `campaigns_v1`; `rows` returns those of a query."""
    query = _CAMPAIGNS.format(
        before=_FIGURES.format(is_wanted="NOT is_after"),
        after=_FIGURES.format(is_wanted="is_after"),
        before_table=before_table,
        after_table=after_table,
    )
    return [
        Compared(channel, campaign, Figures(*figures[:3]), Figures(*figures[3:]))
        for channel, campaign, *figures in rows(query)
    ]


def compared_versions(client: str, before: str, after: str) -> list[Compared]:
    """Return each campaign of two published versions. Raise PublishedFileError if one is gone."""
    with duckdb.connect() as opened:
        for prefix, version in (("then", before), ("now", after)):
            define_version(opened, prefix, client, version)
        tables = (f"{prefix}_publish.campaigns_v1" for prefix in ("then", "now"))
        return compared(lambda query: opened.execute(query).fetchall(), *tables)


def by_channel(campaigns: list[Compared]) -> list[Compared]:
    """Return each channel as the sum of its campaigns."""
    channels = dict.fromkeys(row.channel for row in campaigns)
    return [total([row for row in campaigns if row.channel == name], name) for name in channels]


def total(rows: list[Compared], name: str = "total") -> Compared:
    """Return the sums of rows, under a name."""
    before = after = Figures()
    for row in rows:
        before, after = before.plus(row.before), after.plus(row.after)
    return Compared(name, "", before, after)
