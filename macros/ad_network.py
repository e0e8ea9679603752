"""Whose ad a click id belongs to."""

from sqlmesh import macro

CLICK_IDS = {
    "google": ("gclid", "gbraid", "wbraid"),
    "bing": ("msclkid",),
    "facebook": ("fbclid",),
    "tiktok": ("ttclid",),
    "linkedin": ("li_fat_id",),
    "twitter": ("twclid",),
    "doubleclick": ("dclid",),
}


@macro()
def ad_network(evaluator):
    """Return the ad network whose click id a visit carries, or NULL: `@ad_network() AS ad_network`.

    It reads the columns of the click ids, `gclid` to `twclid`. Of several, the first in the order of
    `CLICK_IDS` counts: a visit with a `gclid` and an `fbclid` is google's.
    """
    branches = " ".join(
        f"WHEN COALESCE({', '.join([*columns, 'NULL'])}) IS NOT NULL THEN '{network}'"
        for network, columns in CLICK_IDS.items()
    )
    return f"CASE {branches} END"
