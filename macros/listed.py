"""Many texts as one, for an audit or a reader."""

from sqlmesh import macro


@macro()
def listed(evaluator, text, separator, condition=None):
    """Return the different texts of a group, sorted, with a separator between them; NULL if there are none.

    `@listed(method, '; ')` of the rows linear, markov, linear and NULL is `linear; markov`. A third
    argument says which rows count: `@listed(conversion_type, ', ', NOT is_conserved)`.
    """
    value = text.sql("duckdb")
    value = f"CASE WHEN {condition.sql('duckdb')} THEN {value} END" if condition else value
    texts = f"LIST_SORT(ARRAY_AGG(DISTINCT {value}))"
    return f"NULLIF(ARRAY_TO_STRING({texts}, {separator.sql('duckdb')}), '')"
