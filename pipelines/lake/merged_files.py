"""Say which files of a folder hold what many small ones held before: the record of what was merged.

A folder of the lake, such as `lake/acme/web/sessions/`, has the record once some of its files were merged:

    merged.json  {"merged": {"merged-5f0c….parquet": ["1795794831.27", …]}, "replaced": {"1795794831.27.3f….parquet": "2026-11-27T…"}}

It is replaced in one moment, after the merged file is whole on disk. Whoever reads it before that reads the
small files, whoever reads it after reads the merged one, and no one reads a load twice. What was replaced
stays for a day, for those who found it before. The macros carry this file's source into every model, so it
stays small and imports little.
"""

import json
from pathlib import Path

RECORD = "merged.json"
LOAD_ID = "_dlt_load_id"  # the column of a merged file that has the load of each row


def merged_files(folder: Path) -> dict[str, list[str]]:
    """Return the merged files of a folder by name, each with the ids of the loads that it holds."""
    return read_record(folder)["merged"]


def read_record(folder: Path) -> dict[str, dict]:
    """Return what was merged in a folder, and what that replaced. Raise ValueError if that is torn."""
    try:
        record = json.loads(Path(folder, RECORD).read_text(encoding="utf-8"))
        return {name: dict(record[name]) for name in ("merged", "replaced")}
    except (FileNotFoundError, NotADirectoryError):
        return {"merged": {}, "replaced": {}}
    except (ValueError, LookupError, TypeError) as error:
        name = "/".join(Path(folder, RECORD).parts[-4:])
        raise ValueError(
            f"{name} is not readable ({error}): put back the lake of a backup; without it nobody knows"
            " which loads the merged files beside it hold"
        ) from None


def is_merged(name: str) -> bool:
    """Return whether a file has the name of a merged one, in force or not."""
    return name.startswith("merged-")
