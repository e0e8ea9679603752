"""Preview a client's change beside what is published, and promote it: one client, no other."""

from typing import NamedTuple

from pipelines.learning.training import train_first
from pipelines.serving import memory
from pipelines.serving.warehouse import Warehouse, opened
from pipelines.settings.client import Client
from pipelines.settings.reader import keep_promoted


class Shift(NamedTuple):
    """What a change does to one channel: credit in conversions, revenue in money."""

    channel: str
    credit_before: float
    credit_after: float
    revenue_before: str
    revenue_after: str
    currency: str


_SHIFTS = """
WITH before AS (
  SELECT channel, SUM(conversions) AS credit, SUM(revenue) AS revenue
  FROM {client}_publish.campaigns_v1 GROUP BY channel HAVING credit <> 0 OR revenue <> 0
), after AS (
  SELECT channel, SUM(conversions) AS credit, SUM(revenue) AS revenue
  FROM {client}_publish__dev.campaigns_v1 GROUP BY channel HAVING credit <> 0 OR revenue <> 0
)
SELECT
  channel, COALESCE(before.credit, 0)::DOUBLE, COALESCE(after.credit, 0)::DOUBLE,
  COALESCE(before.revenue, 0)::TEXT, COALESCE(after.revenue, 0)::TEXT, '{currency}'
FROM before FULL OUTER JOIN after USING (channel) ORDER BY channel
"""


def preview(client: Client) -> list[Shift] | None:
    """Build a client's change in `dev`; return how it shifts credit among the channels.

    A model that learns is trained before, if it has never been. Nothing changed, nothing returned;
    None where `prod` does not have the client, so there is nothing to compare with.
    Raise PlanError, with the failures, if an audit fails; TrainingError if a training does.
    """
    train_first(client)
    with opened(client.shard) as warehouse:
        prod = warehouse.promoted("prod").get(client.id)
        if warehouse.local().get(client.id) == prod:
            return []
        warehouse.plan("dev", [client.id])
        return difference(warehouse, client) if prod else None


def difference(warehouse: Warehouse, client: Client) -> list[Shift]:
    """Return the credit per channel in `prod` and in `dev`."""
    query = _SHIFTS.format(client=client.id, currency=client.currency)
    return [Shift(*row) for row in warehouse.rows(query)]


def promote(client: Client) -> bool:
    """Bring a client's change into `daily` and `prod`, if its audits pass; False without a change.

    A model that learns is trained before, if it has never been. Raise PlanError, with the failures,
    if an audit fails, and TrainingError if a training does; then both keep what they had.
    """
    train_first(client)
    with opened(client.shard) as warehouse:
        local = warehouse.local().get(client.id)
        environments = ("daily", "prod")
        behind = [each for each in environments if warehouse.promoted(each).get(client.id) != local]
        if behind:
            memory.forget(client.id, client.shard)
        for environment in behind:
            warehouse.plan(environment, [client.id])
        keep_promoted(client)
        return bool(behind)
