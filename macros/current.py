"""What counts of a conversion now."""

from sqlmesh import macro


@macro()
def current(evaluator, table, revisions):
    """Return the rows of a table that belong to the newest revision of their conversion.

    `FROM @current(@{client}_attribution.credit, @{client}_journeys.revisions) AS credit`. A
    conversion that its source took back has a newest revision without rows: none are returned.
    """
    return (
        f"(SELECT revised.* FROM {table.sql('duckdb')} AS revised JOIN ("
        "SELECT conversion_id, MAX(revised_at) AS revised_at"
        f" FROM {revisions.sql('duckdb')} GROUP BY conversion_id) AS newest"
        " ON revised.conversion_id = newest.conversion_id"
        " AND revised.revised_at = newest.revised_at)"
    )
