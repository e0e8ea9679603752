"""Append to the lake: `lake/<client>/<source>/<table>/<load_id>.<file>.parquet`, by dlt."""

import os
from pathlib import Path

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.destinations import filesystem

from pipelines.home import lake_folder

os.environ.update(
    NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID="true",
    NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID="true",
    LOAD__DELETE_COMPLETED_JOBS="true",
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="CRITICAL",
)


def source_folder(client: str, source: str) -> Path:
    """Return the folder of one client's source in the lake."""
    return lake_folder() / client / source


def pipeline(client: str, source: str) -> dlt.Pipeline:
    """Return the pipeline of one client's source; its working files live beside the lake."""
    return dlt.pipeline(
        pipeline_name=f"{client}_{source}",
        pipelines_dir=str(lake_folder() / client / "_pipelines"),
        destination=filesystem(
            bucket_url=str(lake_folder() / client),
            layout="{table_name}/{load_id}.{file_id}.{ext}",
        ),
        dataset_name=source,
    )


def append(client: str, source: str, resources: list) -> LoadInfo:
    """Load the resources in one commit: all of them are seen, or none.

    A load that an earlier process left behind is finished first: dlt would load that one
    instead of the new rows.
    """
    target = pipeline(client, source)
    if target.has_pending_data:
        target.run()
    return target.run(resources, loader_file_format="parquet", write_disposition="append")
