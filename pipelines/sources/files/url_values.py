"""Read from the query of an address what no column of its own says: click ids, ids of ads, utm parameters.

`landing_page` gives the ids that ad platforms append by themselves. What a client appends to mean an ad, as
`utm_content`, only the client's file can say: `ad_id: landing_page?utm_content` under `columns:`.
"""

from collections.abc import Collection, Iterable

from pipelines.contracts.people import CLICK_IDS
from pipelines.settings.exports import Export
from pipelines.sources.files.urls import decoded, parameter

PAGE = "landing_page"

AD_IDS = ("campaign_id", "ad_group_id", "ad_id")

# By column, the parameters that hold it, the first of them that is there; those in hsa_ are HubSpot's.
_PARAMETERS: dict[str, tuple[str, ...]] = {name: (name,) for name in CLICK_IDS} | {
    "campaign_id": ("utm_id", "gad_campaignid", "hsa_cam"),
    "ad_group_id": ("hsa_grp",),
    "ad_id": ("hsa_ad",),
}


def value_in(url: str, column: str) -> str:
    """Return SQL for an id that the query of an address holds; NULL without."""
    found = [parameter(url, name) for name in _PARAMETERS[column]]
    return found[0] if len(found) == 1 else f"COALESCE({', '.join(found)})"


def with_ids(columns: dict[str, str], left_out: Collection[str]) -> dict[str, str]:
    """Return columns with the ids that the landing page's query holds, where a row's own column has none.

    What the client's file says that the export lacks, by `gclid: null`, stays `left_out`.
    """
    if PAGE not in columns:
        return columns
    page = f"{columns[PAGE]}::TEXT"
    found = {name: value_in(page, name) for name in _PARAMETERS if name not in left_out}
    own = {name: f"NULLIF(TRIM({columns[name]}::TEXT), '')" for name in found if name in columns}
    return columns | {
        name: f"COALESCE({own[name]}, {value})" if name in own else value
        for name, value in found.items()
    }


def url_column(name: str) -> str:
    """Return the column that a name is read from: of `Landing page?utm_content`, `Landing page`."""
    return name.rpartition("?")[0] or name


def queried(export: Export, present: dict[str, str]) -> dict[str, str]:
    """Return the columns there are, and such as `Landing page?utm_content` that `columns:` names."""
    asked: Iterable[str] = (name for names in export.columns.values() for name in names)
    return present | {
        name: decoded(parameter(f"{present[url_column(name)]}::TEXT", name.rpartition("?")[2]))
        for name in asked
        if name not in present and "?" in name and url_column(name) in present
    }
