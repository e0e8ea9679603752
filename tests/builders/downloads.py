"""Six downloads of a newcomer, as platforms write them: reports, deals, payments, visits, events."""

import json
from decimal import Decimal
from pathlib import Path

GOOGLE = """Day,Campaign,Campaign ID,Currency code,Cost,Clicks,Impr.
2026-{month}-03,Larch Brand,7700001,EUR,"1,310.45",91,"4,020"
2026-{month}-04,Larch Brand,7700001,EUR,88.10,12,610
2026-{month}-04,Larch Shoes,7700002,EUR,41.05,7,322
"""

META = """Tag;Kampagnenname;Ausgegebener Betrag (EUR);Link-Klicks;Impressionen
03.10.2026;Rückkehrer;1.020,50;44;15.320
14.10.2026;Neue;75,25;9;1.180
"""

DEALS = """Record ID,Deal Name,Deal Stage,Is Closed Won,Close Date,Amount,Buyer
501,Ahorn,closedwon,true,2026-10-20,2400.00,c-1
502,Birke,closedwon,true,2026-11-05,600.50,c-2
503,Eiche,closedlost,false,2026-11-06,900.00,c-3
"""

PAYMENTS = """id,Created date (UTC),Amount,Currency,Status,Customer Email
ch_71,2026-10-05 22:30:00,19.90,eur,Paid,c-1
ch_72,2026-11-30 23:30:00,30.00,eur,Paid,c-4
"""

SESSIONS = """session_id,visitor_id,customer_id,started_at,source,medium,campaign
s-1,v-1,c-1,2026-10-03T09:00:00Z,google,cpc,Larch Brand
s-2,v-2,c-2,2026-10-14T09:00:00Z,facebook,paid_social,Neue
s-3,v-3,c-4,2026-11-04T09:00:00Z,google,cpc,Larch Shoes
"""

# By table and month of the client's, in Berlin: the last payment is of December there.
RIGHT = {
    ("google_ads.spend", "spend"): {"2026-10": Decimal("1439.60"), "2026-11": Decimal("1439.60")},
    ("google_ads.spend", "clicks"): {"2026-10": 110, "2026-11": 110},
    ("google_ads.spend", "impressions"): {"2026-10": 4952, "2026-11": 4952},
    ("facebook_ads.spend", "spend"): {"2026-10": Decimal("1095.75")},
    ("facebook_ads.spend", "clicks"): {"2026-10": 53},
    ("facebook_ads.spend", "impressions"): {"2026-10": 16500},
    ("salesforce.opportunities", "won deals"): {"2026-10": 1, "2026-11": 1},
    ("salesforce.opportunities", "revenue"): {
        "2026-10": Decimal(2400),
        "2026-11": Decimal("600.5"),
    },
    ("web.conversions", "conversions"): {"2026-10": 1, "2026-12": 1},
    ("web.conversions", "revenue"): {"2026-10": Decimal("19.90"), "2026-12": Decimal(30)},
    ("web.sessions", "sessions"): {"2026-10": 2, "2026-11": 1},
}


def download(folder: Path, *names: str) -> None:
    """Write the six downloads, of which one comes in two files; or only some, by their names."""
    folder.mkdir(parents=True)
    google = {
        f"Campaign performance 2026-{month}.csv": GOOGLE.format(month=month).encode()
        for month in ("10", "11")
    }
    files = google | {
        "Larch-Kampagnen.csv": META.encode("cp1252"),
        "hubspot-deals.csv": DEALS.encode(),
        "unified_payments.csv": PAYMENTS.encode(),
        "visits.csv": SESSIONS.encode(),
        "events.jsonl": _event("1001.2002", 1793527200).encode(),
    }
    for name in names or files:
        (folder / name).write_bytes(files[name])


def _event(visitor: str, second: int) -> str:
    parameter = {"key": "ga_session_id", "value": {"int_value": str(second)}}
    event = {
        "event_name": "session_start",
        "event_timestamp": f"{second}000000",
        "user_pseudo_id": visitor,
        "event_params": [parameter],
    }
    return f"{json.dumps(event)}\n"
