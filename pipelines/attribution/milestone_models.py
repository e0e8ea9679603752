"""Models of B2B: fixed shares to the touchpoints that hold a milestone, the rest to all others.

A touchpoint holds a milestone if it is the last one at or before it: `lead_position` and the like
give its position in the path, NULL where there is none. One that holds several takes their shares;
what a milestone without a touchpoint, or a path without others, leaves over goes to all in
proportion, as credit is a weight over the sum of weights.
"""


def w_shaped(shares: dict[str, float]) -> str:
    """Thirty each to the first touchpoint, the lead's and the opportunity's; ten to the others.

    Shares of Marketo Measure and HubSpot; Marketo's others end with the opportunity's.
    """
    return _weight(shares)


def full_path(shares: dict[str, float]) -> str:
    """The W, and a fourth for what closed the deal: 22.5 each, ten to the others (Marketo Measure)."""
    return _weight(shares)


def milestones(shares: dict[str, float]) -> str:
    """Shares by milestones of the client's own."""
    return _weight(shares)


def _weight(shares: dict[str, float]) -> str:
    share_of = {name: share for name, share in shares.items() if share}
    positions = {name: "1" if name == "first" else f"{name}_position" for name in share_of}
    held = " + ".join(
        f"CASE WHEN position = {positions[name]} THEN {share} ELSE 0 END::DOUBLE"
        for name, share in share_of.items()
    )
    anchors = f"LIST_DISTINCT([{', '.join(f'{at}::BIGINT' for at in positions.values())}])"
    rest = max(round(1 - sum(share_of.values()), 9), 0)
    return f"""{held} + CASE
        WHEN LIST_CONTAINS({anchors}, position) THEN 0
        ELSE {rest}::DOUBLE / NULLIF(path_length - LEN({anchors}), 0)
    END"""
