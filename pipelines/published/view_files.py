"""Show a version: make the `.duckdb` of views over its files, and put it in place of the old one."""

from datetime import datetime

import duckdb

from pipelines.files import replacing, sync_folder
from pipelines.home import published_folder
from pipelines.published.version_folders import (
    alone,
    manifest,
    versions_of,
    view_file,
    whole_versions,
)
from pipelines.published.views import define
from pipelines.sql import literal


def show_newest(client: str, read_before: datetime | None = None) -> None:
    """Show the newest settled version of a client."""
    with alone(client):
        show(client, whole_versions(client)[-1])


def show(client: str, version: str) -> None:
    """Show a version of a client's published files, from one moment to the next.

    The views name the files by their full paths: so the file opens from any folder, and under any
    name. Whoever has the old one open goes on reading the old version.
    """
    folder = (versions_of(client) / version).absolute()
    tables = manifest(client, version)["publish"]
    shown = f"SELECT {literal(version)} AS version, {literal(str(folder))} AS folder"
    with replacing(view_file(client), sync=True) as unfinished:
        with duckdb.connect(str(unfinished)) as opened:  # closed before it is renamed
            opened.execute("BEGIN")  # else each view and comment goes to the disk by itself
            opened.execute(f"CREATE VIEW version AS {shown}")
            define(opened, f"{client}_publish", folder, tables)
            opened.execute("COMMIT")
        (unfinished.with_name(f"{unfinished.name}.wal")).unlink(missing_ok=True)
    sync_folder(published_folder())
