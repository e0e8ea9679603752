"""Write a file to query the ledger by: `runs/runs.duckdb` has the view `runs` over all days."""

import duckdb

from pipelines.files import replacing
from pipelines.home import runs_folder
from pipelines.ledger.runs import runs_query
from pipelines.sql import file_literal, literal

_COMMENT = "A row for each run: one step of one client's way, also one that has not ended"


def write_view_file() -> None:
    """Write the file anew: it names the folder of the runs by its full path, and the home may have moved."""
    if not any(runs_folder().glob("*.jsonl")):
        return
    query = runs_query(f"{file_literal(runs_folder().absolute())} || '/*.jsonl'")
    file = runs_folder() / "runs.duckdb"
    with replacing(file) as unfinished, duckdb.connect(str(unfinished)) as opened:
        opened.execute(f"CREATE VIEW runs AS {query}")
        opened.execute(f"COMMENT ON VIEW runs IS {literal(_COMMENT)}")
