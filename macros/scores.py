"""The scores of touchpoints, for the models that learn."""

from sqlmesh import macro

COLUMNS = {
    "model": "TEXT",
    "conversion_id": "TEXT",
    "touchpoint_id": "TEXT",
    "revised_at": "TIMESTAMP",
    "score": "DOUBLE",
    "method": "TEXT",
    "version": "TEXT",
}


@macro()
def scores(evaluator, client, tables):
    """Return the scores in the tables of a client's attribution layer: `@scores(@client, @score_tables)`.

    A row per model, conversion, touchpoint and revision: the touchpoint's `score`, the `method` by
    which it was made, and the `version` of what was learnt. Without tables there are no rows.
    """
    if not (names := tables.name.split()):
        columns = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in COLUMNS.items())
        return f"(SELECT {columns} WHERE FALSE)"
    columns = ", ".join(COLUMNS)
    parts = (f"SELECT {columns} FROM {client.name}_attribution.{name}" for name in names)
    return f"({' UNION ALL '.join(parts)})"
