"""Downloads of the platforms' own pages are read as they are, in English and in German, without `columns:`."""

from decimal import Decimal
from typing import Any, NamedTuple, get_args

import pytest
import yaml

from pipelines.settings.exports import ReadyMadeFormat
from pipelines.settings.reader import read as settings
from pipelines.settings.ready_made import formats
from tests.builders.tenant import Tenant
from tests.conftest import House

SUMS = {  # what is added up of a table, and what tells its rows apart
    "spend": "cost, clicks, impressions",
    "conversions": "revenue",
    "opportunities": "amount",
}


class Download(NamedTuple):
    """A file as a platform's page hands it out, and what it holds: its rows, and their sums."""

    place: str
    form: str
    file: str
    content: bytes
    rows: int
    sums: tuple[str, ...]
    settings: dict[str, Any] = {}


def text(*lines: str, encoding: str = "utf-8", end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode(encoding)


DOWNLOADS = {
    "google_ads_report, en": Download(
        *("google_ads.spend", "google_ads_report", "Campaign report.csv"),
        text(
            "Campaign report",
            '"October 1, 2026 - October 2, 2026"',
            "Day\tCampaign status\tCampaign\tCampaign ID\tCurrency code\tImpr.\tClicks\tCost\tConversions",
            "2026-10-01\tEnabled\tHiking boots\t17001\tEUR\t12,040\t310\t1,020.15\t4.50",
            "2026-10-02\tEnabled\tHiking boots\t17001\tEUR\t9,870\t255\t899.85\t --",
            "2026-10-01\tPaused\tTents \u2013 sale\t17002\tEUR\t0\t0\t0.00\t --",
            "Total: Campaigns\t --\t --\t --\tEUR\t21,910\t565\t1,920.00\t4.50",
            "Total: Account\t --\t --\t --\tEUR\t21,910\t565\t1,920.00\t4.50",
            encoding="utf-16",
            end="\r\n",
        ),
        *(3, ("1920", "565", "21910")),
    ),
    "google_ads_report, de": Download(
        *("google_ads.spend", "google_ads_report", "Kampagnenbericht.csv"),
        text(
            "Kampagnenbericht",
            "1. Oktober 2026 - 2. Oktober 2026",
            "Tag,Kampagnenstatus,Kampagne,Kampagnen-ID,Währungscode,Impr.,Klicks,Kosten,Conversions",
            '2026-10-01,Aktiviert,Wanderschuhe,17001,EUR,12.040,310,"1.020,15","4,50"',
            '2026-10-02,Aktiviert,Wanderschuhe,17001,EUR,9.870,255,"899,85"," --"',
            'Gesamt: Kampagnen, --, --, --,EUR,21.910,565,"1.920,00","4,50"',
            'Gesamt: Konto, --, --, --,EUR,21.910,565,"1.920,00","4,50"',
        ),
        *(2, ("1920", "565", "21910")),
    ),
    "google_ads_transfer": Download(
        *("google_ads.spend", "google_ads_transfer", "p_ads_CampaignBasicStats.jsonl"),
        text(
            '{"customer_id": 44, "campaign_id": 17001, "segments_date": "2026-10-01", "segments_device": "MOBILE",'
            ' "metrics_cost_micros": 512340000, "metrics_clicks": 21, "metrics_impressions": 900}',
            '{"customer_id": 44, "campaign_id": 17001, "segments_date": "2026-10-01", "segments_device": "DESKTOP",'
            ' "metrics_cost_micros": 87660000, "metrics_clicks": 9, "metrics_impressions": 100}',
        ),
        *(1, ("600", "30", "1000")),
    ),
    "meta_ads_report, en": Download(
        *("facebook_ads.spend", "meta_ads_report", "Shop-Campaigns-Oct-1-2026-Oct-2-2026.csv"),
        text(
            '\ufeff"Campaign name","Day","Campaign delivery","Reach","Impressions","Link clicks",'
            '"Amount spent (EUR)","Results","Reporting starts","Reporting ends"',
            '"","","","7100","12400","310","154.20","","2026-10-01","2026-10-02"',
            '"Lookalike 🎒","2026-10-01","active","3600","6300","160","80.10","","2026-10-01","2026-10-02"',
            '"Lookalike 🎒","2026-10-02","active","3500","6100","150","74.10","","2026-10-01","2026-10-02"',
        ),
        *(2, ("154.2", "310", "12400")),
    ),
    "meta_ads_report, de": Download(
        *("facebook_ads.spend", "meta_ads_report", "Bericht.csv"),
        text(
            "Name der Kampagne;Name der Anzeigengruppe;Berichtsstart;Berichtsende;Impressionen;Link-Klicks;"
            "Ausgegebener Betrag (EUR)",
            "Herbst;Outdoor;2026-10-01;2026-10-01;6.300;160;1.080,10",
            "Herbst;Camping;2026-10-01;2026-10-01;6.100;150;74,10",
        ),
        *(2, ("1154.2", "310", "12400")),
    ),
    "microsoft_ads_report": Download(
        *("microsoft_ads.spend", "microsoft_ads_report", "Campaign_report.csv"),
        text(
            '"Report Name: Campaign"',
            '"Report Time: 10/13/2026,10/14/2026"',
            "",
            '"Gregorian date","Campaign name","Campaign ID","Currency code","Impressions","Clicks","Spend"',
            '"10/13/2026","Boots","901","EUR","1,200","40","31.50"',
            '"10/14/2026","Boots","901","EUR","800","30","28.50"',
        ),
        *(2, ("60", "70", "2000")),
        {"date_format": "%m/%d/%Y"},
    ),
    "linkedin_ads_report, en": Download(
        *("linkedin_ads.spend", "linkedin_ads_report", "campaign_performance_report.csv"),
        text(
            "Campaign Performance Report (in UTC)",
            '"Report Start: October 1, 2026, 12:00 AM"',
            "",
            "Start Date (in UTC)\tAccount Name\tCampaign Group Name\tCampaign Name\tCampaign ID\tCurrency\t"
            "Total Spent\tImpressions\tClicks",
            "10/1/2026\tTrek GmbH\tB2B\tOutfitters\t3120\tEUR\t33.33\t1,000\t4",
            "10/2/2026\tTrek GmbH\tB2B\tOutfitters\t3120\tEUR\t1,033.34\t1,100\t5",
            encoding="utf-16",
        ),
        *(2, ("1066.67", "9", "2100")),
    ),
    "linkedin_ads_report, de": Download(
        *("linkedin_ads.spend", "linkedin_ads_report", "bericht.csv"),
        text(
            "Bericht zur Performance",
            "Startdatum des Berichts: 1. Oktober 2026",
            "",
            "Startdatum (in UTC)\tName der Kampagne\tName der Anzeigengruppe\tAnzeigengruppen-ID\tGesamtausgaben\t"
            "Impressions\tKlicks",
            '1.10.2026\tB2B\tAusrüster\t3120\t"1.330,51"\t4197\t17',
        ),
        *(1, ("1330.51", "17", "4197")),
    ),
    "tiktok_ads_report": Download(
        *("tiktok_ads.spend", "tiktok_ads_report", "Campaign Report.csv"),
        text(
            "By Day,Campaign name,Campaign ID,Ad group name,Cost,Impressions,Clicks (destination),Currency",
            "2026-10-01,Challenge,18001,Girls,12.50,4100,82,EUR",
            "2026-10-01,Challenge,18001,Boys,7.50,900,18,EUR",
            "Total of 2 results,-,-,-,20.00,5000,100,EUR",
        ),
        *(2, ("20", "100", "5000")),
    ),
    "salesforce_report, en": Download(
        *("salesforce.opportunities", "salesforce_report", "report1764140000000.csv"),
        text(
            '"Opportunity ID","Opportunity Name","Stage","Close Date","Amount Currency","Amount"',
            '"0065g00000BcDeF","Jürgen \u2013 year","Closed Won","10/13/2026","EUR","1,234.50"',
            '"0065g00000BcDeG","Pilot","Closed Lost","10/14/2026","EUR","400.00"',
            "",
            "",
            '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."',
            '"Confidential Information - Do Not Distribute"',
            '"Generated By:  Ida Example  10/15/2026 8:01 AM"',
            '"Trek GmbH"',
            encoding="cp1252",
        ),
        *(2, ("1634.5",)),
        {"date_format": "%m/%d/%Y"},
    ),
    "salesforce_report, de": Download(
        *("salesforce.opportunities", "salesforce_report", "report1764140000001.csv"),
        text(
            '"Opportunity-ID","Name der Opportunity","Phase","Schlusstermin","Betrag"',
            '"0065g00000BcDeF","Jürgen \u2013 Jahr","Geschlossen gewonnen","13.10.2026","1.234,50"',
            '"0065g00000BcDeG","Pilot","Verhandlung","14.10.2026","400,00"',
            encoding="cp1252",
        ),
        *(2, ("1634.5",)),
    ),
    "salesforce_data_loader": Download(
        *("salesforce.opportunities", "salesforce_data_loader", "extract.csv"),
        text(
            '"ID","STAGENAME","ISWON","CLOSEDATE","AMOUNT","CURRENCYISOCODE","ACCOUNTID","CREATEDDATE"',
            '"0065g00000BcDeFAAV","Closed Won","true","2026-10-13","1234.5","EUR","0015g1","2026-09-01T08:00:00.000Z"',
            '"0065g00000BcDeGAAV","Closed Lost","false","2026-10-14","400.0","EUR","0015g2","2026-09-02T08:00:00.000Z"',
        ),
        *(2, ("1634.5",)),
    ),
    "hubspot_deals, en": Download(
        *("salesforce.opportunities", "hubspot_deals", "hubspot-crm-exports-all-deals.csv"),
        text(
            "Record ID,Deal Name,Deal Stage,Close Date,Amount,Currency,Associated Contact IDs",
            "70001,Outfit,Closed Won (Sales Pipeline),2026-10-13 10:00,1234.50,EUR,501;504",
            "70002,Pilot,Proposal (Sales Pipeline),2026-10-30 10:00,400.00,EUR,502",
        ),
        *(2, ("1634.5",)),
    ),
    "hubspot_deals, de": Download(
        *("salesforce.opportunities", "hubspot_deals", "hubspot-crm-exports-alle-deals.csv"),
        text(
            "Datensatz-ID,Deal-Name,Deal-Phase,Abschlussdatum,Betrag,Währung",
            "70001,Ausrüstung,Abgeschlossen und gewonnen (Sales-Pipeline),2026-10-13 10:00,1234.50,EUR",
            "70002,Pilot,Angebot (Sales-Pipeline),2026-10-30 10:00,400.00,EUR",
        ),
        *(2, ("1634.5",)),
    ),
    "shopify_orders": Download(
        *("web.conversions", "shopify_orders", "orders_export_1.csv"),
        text(
            "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem name,Cancelled at,Refunded Amount",
            "#1001,ida@example.com,paid,2026-10-01 04:59:58 -0500,EUR,120.00,2026-10-01 04:59:58 -0500,Boots,,0.00",
            "#1001,ida@example.com,,,,,2026-10-01 04:59:58 -0500,Laces,,",
            "#1002,jo@example.com,partially_refunded,,EUR,80.00,2026-10-02 10:00:00 -0500,Tent,,30.50",
            "#1003,li@example.com,voided,,EUR,999.00,2026-10-02 11:00:00 -0500,Boots,2026-10-02 12:00:00 -0500,0.00",
            "#1004,mo@example.com,pending,,EUR,55.00,2026-10-02 11:30:00 -0500,Boots,,0.00",
        ),
        *(2, ("169.5",)),
    ),
    "stripe_payments": Download(
        *("web.conversions", "stripe_payments", "unified_payments.csv"),
        text(
            "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Fee,Status,Customer ID,Customer Email",
            "ch_1,2026-10-01 23:30:00,100.00,0.00,eur,true,1.70,Paid,cus_1,ida@example.com",
            "ch_2,2026-10-02 10:00:00,50.00,20.25,eur,true,1.10,Paid,cus_2,jo@example.com",
            "ch_3,2026-10-02 12:00:00,999.00,0.00,eur,false,0.00,Failed,cus_2,jo@example.com",
        ),
        *(2, ("129.75",)),
    ),
}


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client whose file names a format, and no column."""
    return Tenant(house.home)


def read(tenant: Tenant, download: Download, **settings: Any) -> str:
    """Deliver a download, and ingest it; return the problem."""
    source, table = download.place.split(".")
    export = {"files": f"exports/{tenant.name}/{download.file}", "expected_every": "never"}
    export |= {"format": download.form} | download.settings | settings
    client = {"name": tenant.name, "currency": "EUR", "timezone": "Europe/Berlin"}
    tenant.settings.write_text(yaml.safe_dump(client | {"sources": {source: {table: export}}}))
    tenant.deliver(download.file, download.content)
    return tenant.ingest(source).problem


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_download_is_read_as_it_is(tenant: Tenant, name: str) -> None:
    download = DOWNLOADS[name]
    source, table = download.place.split(".")

    assert read(tenant, download) == ""

    rows = tenant.log(SUMS[table], source, table)
    sums = [sum(Decimal(value or 0) for value in column) for column in zip(*rows)]
    assert (len(rows), sums) == (download.rows, [Decimal(each) for each in download.sums])


def test_every_format_has_a_download() -> None:
    assert {name.split(",")[0] for name in DOWNLOADS} == set(formats())
    assert sorted(formats()) == sorted(get_args(ReadyMadeFormat))


GOOGLE = ("google_ads.spend", "google_ads_report", "report.csv")
META = ("facebook_ads.spend", "meta_ads_report", "report.csv")


@pytest.mark.parametrize(
    ("page", "lines", "said"),
    {
        "without days": (
            *(GOOGLE, ["Kampagne,Kampagnen-ID,Kosten,Klicks,Impr.", "Zelte,1,9.50,1,10"]),
            "it lacks 'Tag' (for spend_date); it has Impr., Kampagne, Kampagnen-ID, Klicks, Kosten. Add it to what"
            " is downloaded (Kampagnen, nach Zeit und Tag segmentiert",
        ),
        "by month": (
            META,
            [
                "Name der Kampagne,Auswertungsstart,Auswertungsende,Ausgegebener Betrag (EUR)",
                "Zelte,2026-10-01,2026-10-31,9.50",
            ],
            "a row is from 2026-10-01 to 2026-10-31, and spend is of a day: break the report down by day",
        ),
        "by conversion action": (
            GOOGLE,
            ["Day,Campaign,Cost,Clicks,Impr.,Conversion action", "2026-10-01,Tents,0,0,0,Purchase"],
            "it is segmented by Conversion action: its rows do not add up to the cost of a day",
        ),
        "of another currency": (
            META,
            ["Campaign name,Day,Amount spent (USD)", "Tents,2026-10-01,9.50"],
            "currency USD, the client has EUR: deliver sources.rates",
        ),
    }.values(),
)
def test_a_report_that_is_no_spend_by_day_is_refused(
    tenant: Tenant, page: tuple[str, str, str], lines: list[str], said: str
) -> None:
    assert said in read(tenant, Download(*page, text(*lines), 0, ()))


def test_a_finer_report_is_added_up_and_names_stand_in_for_ids(tenant: Tenant) -> None:
    lines = [
        "Day,Campaign,Cost,Clicks,Impr.,Device,Conversions",
        "2026-10-01,Tents,30.10,5,50,Mobile phones,1.5",
        "2026-10-01,Tents,10.20,3,30,Computers,0.5",
    ]

    assert read(tenant, Download(*GOOGLE, text(*lines), 0, ())) == ""

    (row,) = tenant.log("campaign_id, cost::DECIMAL(9, 2), clicks, conversions::DECIMAL(9, 1)")
    assert row == ("Tents", Decimal("40.30"), "8", Decimal("2.0"))
    notes = " ".join(tenant.ingest().status.notes)
    assert "its rows are by Device: cost, clicks, impressions, conversions are added up" in notes
    assert "it has no 'Campaign ID': campaign_id is the name in 'Campaign'" in notes


@pytest.mark.parametrize(
    ("header", "row", "how"),
    [
        (
            "Tag,Kampagne,Kampagnen-ID,Anzeigengruppe,Kosten,Klicks,Impr.",
            "Zelte,7,Nord,9",
            "ad group",
        ),
        ("Day,Campaign,Campaign ID,Ad ID,Cost,Clicks,Impr.", "Zelte,7,4,9", "ad"),
    ],
)
def test_a_later_download_at_another_grain_is_refused(
    tenant: Tenant, header: str, row: str, how: str
) -> None:
    first = text("Day,Campaign,Campaign ID,Cost,Clicks,Impr.", "2026-10-01,Zelte,7,9,1,1")
    later = text(header, f"2026-10-01,{row},1,1")
    assert (
        read(tenant, Download(*GOOGLE[:2], "r-1.csv", first, 0, ()), files="exports/one/r-*") == ""
    )

    problem = read(tenant, Download(*GOOGLE[:2], "r-2.csv", later, 0, ()), files="exports/one/r-*")

    assert f"of the campaign 'Zelte' comes by {how}, and is there by campaign already" in problem
    assert len(tenant.log("row_key")) == 1


def test_what_the_clients_file_says_goes_before_its_format(tenant: Tenant) -> None:
    lines = ["Day,Campaign,Campaign ID,Spent,Cost,Clicks,Impr.", "2026-10-01,Tents,7,9.50,950,1,10"]

    assert read(tenant, Download(*GOOGLE, text(*lines), 0, ()), columns={"cost": "Spent"}) == ""

    assert tenant.log("campaign_id, cost") == [("7", "9.50")]


def test_a_format_of_another_table_is_refused(tenant: Tenant) -> None:
    tenant.setting("format: meta_ads_report")
    (problem,) = settings()[1]
    assert (
        "google_ads.spend.format: meta_ads_report is of facebook_ads.spend; use one of"
        " google_ads_report, google_ads_transfer" in problem.message
    )


@pytest.mark.parametrize(
    "name",
    ["salesforce_report, en", "salesforce_report, de", "hubspot_deals, en", "hubspot_deals, de"],
)
def test_a_deal_is_won_by_its_stage(tenant: Tenant, name: str) -> None:
    assert read(tenant, DOWNLOADS[name]) == ""
    deals = tenant.log("is_won, closed_at[:10]", "salesforce", "opportunities")
    assert [won for won, _ in deals] == ["true", "false"] and deals[0][1] == "2026-10-13"


def test_of_a_deals_contacts_the_first_counts(tenant: Tenant) -> None:
    assert read(tenant, DOWNLOADS["hubspot_deals, en"]) == ""
    assert tenant.log("customer_id", "salesforce", "opportunities") == [("501",), ("502",)]


def test_a_stage_that_only_sounds_won_is_asked_about(tenant: Tenant) -> None:
    download = DOWNLOADS["salesforce_report, en"]
    other = download.content.replace(b"Closed Lost", b"Won - renewal")

    problem = read(tenant, download._replace(content=other))

    assert "is_won 'Won - renewal' is no boolean" in problem
    stages = {"is_won": "Stage IN ('Closed Won', 'Won - renewal')"}
    assert read(tenant, download._replace(content=other), columns=stages) == ""


def test_payments_and_orders_count_once_at_their_time(tenant: Tenant) -> None:
    assert read(tenant, DOWNLOADS["stripe_payments"]) == ""
    assert tenant.log("conversion_id, converted_at, currency", "web", "conversions") == [
        ("ch_1", "2026-10-01 23:30:00+00:00", "EUR"),
        ("ch_2", "2026-10-02 10:00:00+00:00", "EUR"),
    ]


def test_a_report_that_names_no_customer_says_so(tenant: Tenant) -> None:
    download = DOWNLOADS["salesforce_report, de"]
    assert read(tenant, download) == ""
    assert "no column for customer_id" in " ".join(tenant.ingest("salesforce").status.notes)

    assert read(tenant, download, columns={"customer_id": None}) == ""
    assert "no column for customer_id" not in " ".join(tenant.ingest("salesforce").status.notes)
