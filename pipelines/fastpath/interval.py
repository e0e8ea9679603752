"""Run a client's rendered models for the loads that are newer than a settled version."""

from datetime import datetime, timedelta

import duckdb

from pipelines.fastpath.newer_loads import Table, raw_table
from pipelines.fastpath.rendered_models import CHANGED, Kind, RenderedModel, RenderedModels
from pipelines.ihc.asking_bounds import Bounds
from pipelines.sql import identifier, only_row

# A load committed while the settled run was at work may be seen by some of its models only, and is
# dated up to a minute before its commit, which is after the run began: see `seen_from`.
_SEEN_EARLIER = timedelta(minutes=1)

_TO_ASK = """
CREATE TEMP VIEW touchpoints AS
SELECT paths.conversion_id, paths.touchpoint_id, paths.revised_at, paths.touched_at, paths.channel,
  paths.holder_engagement, paths.closer_engagement, paths.position, paths.path_length, local.is_current
FROM {client}_journeys.paths AS paths
JOIN {client}_attribution.ihc_local AS local USING (conversion_id, touchpoint_id, revised_at)
"""


class Interval:
    """Tables of a connection: settled ones in its own catalog, `memory`, and new ones in `fast`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        client: str,
        models: RenderedModels,
        until: datetime,
        bounds: Bounds | None = None,
    ) -> None:
        self._connection, self._client, self._models = connection, client, models
        self._until, self._bounds = until, bounds
        self.start = datetime.fromisoformat(models.start)
        self.loaded_until: datetime | None = None
        self.computes = "the interval"
        self.changed = 0
        self._by_conversion = [
            model.name for model in models.models if model.kind == Kind.BY_CONVERSION
        ]

    def begin(self) -> None:
        """Have the interval, and no conversion that changed."""
        models = [*(model.name for model in self._models.models), *self._models.kept]
        layers = {name.split(".")[0] for name in models}
        schemas = ["raw", "fresh", *(identifier(f"{self._client}_{layer}") for layer in layers)]
        self._connection.execute("ATTACH ':memory:' AS fast; USE fast")
        self._connection.execute("; ".join(f"CREATE SCHEMA {schema}" for schema in schemas))
        self.start = max([self.start, *self._newest_settled()])
        last = self._until - timedelta(microseconds=1)
        self._connection.execute(f"CREATE TABLE {CHANGED}")
        self._connection.execute(f"SET VARIABLE start_ts = TIMESTAMP '{self.start}'")
        self._connection.execute(f"SET VARIABLE end_ts = TIMESTAMP '{last}'")

    def compute(self) -> None:
        """Compute what changed, and if anything did, all that sums it up.

        Raise duckdb.Error in the midst of `computes`.
        """
        for name, typed in self._models.reads.items():
            self.computes = name
            self._load(raw_table(self._client, name, typed, self.start, self._until))
        first = 1 + max(
            number
            for number, model in enumerate(self._models.models)
            if model.kind == Kind.BY_CONVERSION
        )
        for model in self._models.models[:first]:
            self.computes = model.name
            self._run(model)
        self.computes = "what changed"
        self._keep_changes()
        self._keep_settled()
        for model in self._models.models[first:] if self.changed else ():
            self.computes = model.name
            self._run(model)

    def _newest_settled(self) -> list[datetime]:
        """Return when the newest settled load was seen, and a little before, within its day; or nothing."""
        times = {model.name: model.time for model in self._models.models}
        newest = [
            f"SELECT MAX({times[table]}) AS moment FROM {self._settled(table)}"
            for table in self._models.history
        ]
        found = f"SELECT MAX(moment), DATE_TRUNC('day', MAX(moment)) FROM ({' UNION ALL '.join(newest)})"
        moment, day = only_row(self._connection.execute(found))
        if moment is None:
            return []
        midnight = datetime(day.year, day.month, day.day)
        return [max(midnight, moment - _SEEN_EARLIER)]

    def _load(self, table: Table) -> None:
        raw = f"raw.{identifier(table.name)}"
        self._connection.execute(f"CREATE TABLE {raw} AS {table.query}")
        if table.is_of_loads:
            newest = self._connection.execute(f"SELECT MAX(loaded_at) FROM {raw}")
            moments = [each for each in (self.loaded_until, *only_row(newest)) if each]
            self.loaded_until = max(moments, default=None)

    def _run(self, model: RenderedModel) -> None:
        table = self._table(model.name)
        if model.kind == Kind.VIEW:
            self._connection.execute(f"CREATE VIEW {table} AS {model.sql}")
        elif model.kind == Kind.ASKED:
            self._take_answers(table, model)
        elif model.name in self._models.history:
            self._continue(model)
        elif model.kind == Kind.BY_CONVERSION:
            self._create_like_settled(self._fresh(model.name), model)
        elif model.name.startswith("publish."):
            self._create_like_settled(table, model)
        else:
            self._connection.execute(f"CREATE TABLE {table} AS {model.sql}")

    def _create_like_settled(self, table: str, model: RenderedModel) -> None:
        """Compute a table with the columns and types that it has where it is settled."""
        settled = self._settled(model.name)
        self._connection.execute(f"CREATE TABLE {table} AS FROM {settled} LIMIT 0")
        self._connection.execute(f"INSERT INTO {table} BY NAME {model.sql}")

    def _continue(self, model: RenderedModel) -> None:
        """Compute the rows of the interval, and show them after those that are settled from before it."""
        settled, fresh = self._settled(model.name), self._fresh(model.name)
        self._connection.execute(f"CREATE TABLE {fresh} AS FROM {settled} LIMIT 0")
        self._connection.execute(
            f"""CREATE VIEW {self._table(model.name)} AS
            SELECT * FROM {settled} WHERE {model.time} < TIMESTAMP '{self.start}'
            UNION ALL BY NAME SELECT * FROM {fresh}"""
        )
        self._connection.execute(f"INSERT INTO {fresh} BY NAME {model.sql}")

    def _take_answers(self, table: str, model: RenderedModel) -> None:
        """Take what a service has answered already, or answers at once where it may be asked."""
        columns = ", ".join(f"{identifier(name)} {type_}" for name, type_ in model.columns.items())
        self._connection.execute(f"CREATE TABLE {table} ({columns})")
        if request := self._models.ihc_request:
            from pipelines.ihc.service_answers import (
                answers_at_once,  # it is slow to import, and few ask
            )

            self._connection.execute(_TO_ASK.format(client=self._client))
            answers = answers_at_once(self._connection, self._client, request, self._bounds)
            self._connection.execute(f"INSERT INTO {table} BY NAME {answers}")

    def _keep_changes(self) -> None:
        """Note which conversions are not as they were settled, and put their new rows in place of the old.

        A conversion stands by its newest revision: it is provisional since the load that caused that.
        """
        differing = []
        for name in self._by_conversion:
            new = f"FROM {self._fresh(name)}"
            old = f"FROM {self._settled(name)} WHERE conversion_id IN (FROM revised)"
            for one, other in ((new, old), (old, new)):
                differing.append(f"SELECT conversion_id FROM ({one} EXCEPT ALL {other})")
        revisions = self._table("journeys.revisions")
        self._connection.execute(
            f"""CREATE TABLE revised AS SELECT DISTINCT conversion_id FROM {revisions};
            INSERT INTO changed SELECT conversion_id, MAX(revised_at) FROM {revisions}
            WHERE conversion_id IN ({" UNION ".join(differing)}) GROUP BY conversion_id"""
        )
        (self.changed,) = only_row(self._connection.execute("SELECT COUNT(*) FROM changed"))
        for name in self._by_conversion:
            self._connection.execute(
                f"""CREATE TABLE {self._table(name)} AS
                FROM {self._settled(name)} WHERE NOT conversion_id IN (SELECT conversion_id FROM changed)
                UNION ALL BY NAME
                FROM {self._fresh(name)} WHERE conversion_id IN (SELECT conversion_id FROM changed)"""
            )

    def _keep_settled(self) -> None:
        """Show what stays as it is settled; but how new the data are, the newest load says."""
        for name in self._models.kept:
            newest = ""
            if name == "staging.stg_load_counts" and self.loaded_until:
                newest = f" REPLACE (GREATEST(loaded_until, TIMESTAMP '{self.loaded_until}') AS loaded_until)"
            self._connection.execute(
                f"CREATE VIEW {self._table(name)} AS SELECT *{newest} FROM {self._settled(name)}"
            )

    def _table(self, name: str, catalog: str = "fast") -> str:
        layer, _, table = name.partition(".")
        return f"{catalog}.{identifier(f'{self._client}_{layer}')}.{identifier(table)}"

    def _fresh(self, name: str) -> str:
        return f"fresh.{identifier(name)}"

    def _settled(self, name: str) -> str:
        return self._table(name, catalog="memory")
