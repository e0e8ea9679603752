"""Tell by the values of columns who converted: by which column orders and deals name the customers of visits."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines.doctor.kinds import Kind
from pipelines.doctor.proposal import Proposal
from pipelines.doctor.reports import Report
from pipelines.doctor.tried_drafts import Buyers, Draft
from pipelines.sql import literal, only_row

_NAMED_BY_FORMATS = ("user_id", "userId", "distinct_id")
_BUYERS = ("web.conversions", "salesforce.opportunities")


def with_buyers(reports: list[Report]) -> list[Report]:
    """Return the reports, those of orders and deals with the column whose values are customers of visits.

    Where a column is called after the customer, and no visit knows its values, another whose values visits
    know is meant: an order's `Email`, if visits have e-mail addresses.
    """
    visitors = {value.lower() for report in reports for value in _visitors(report)}
    return [
        report._replace(kinds=[_with_buyer(report, kind, visitors) for kind in report.kinds])
        for report in reports
    ]


def _visitors(report: Report) -> Iterable[str]:
    kind, values = report.kinds[0], report.head.values
    if kind.name != "web.sessions":
        return []
    names = _NAMED_BY_FORMATS if kind.makes_sessions else (kind.columns.get("customer_id", ""),)
    return [value for name in names for value in values.get(name, ())]


def _with_buyer(report: Report, kind: Kind, visitors: set[str]) -> Kind:
    if kind.name not in _BUYERS or not visitors:
        return kind
    known = {
        name: len(visitors.intersection(map(str.lower, report.head.distinct(name))))
        for name in report.head.names
        if name not in kind.columns.values() or name == kind.columns.get("customer_id")
    }
    best = max(known, key=lambda name: known[name], default="")
    own = kind.columns.get("customer_id", "")
    if not best or not known[best] or known.get(own, 0) >= known[best]:
        return kind
    reasons = {"customer_id": f"{known[best]} of its values are customers of visits"}
    further = kind.further | ({"customer_id": best} if kind.form else {})
    return kind._replace(
        columns=kind.columns | {"customer_id": best}, reasons=reasons, further=further
    )


def with_known(drafts: Iterable[Draft]) -> list[Draft]:
    """Return the drafts; those of orders and deals say how many of their customers visits know."""
    drafts = list(drafts)
    visits = [file for each in drafts if each.kind.name == "web.sessions" for file in each.rows]
    return [_with_known(each, visits) for each in drafts]


def _with_known(draft: Draft, visits: list[Path]) -> Draft:
    if draft.kind.name not in _BUYERS or not draft.rows or not visits:
        return draft
    visitors = f"(SELECT LOWER(customer_id) FROM {_rows(visits)})"
    with duckdb.connect() as connection:
        of, known = only_row(
            connection.execute(
                f"""SELECT COUNT(*), COUNT(*) FILTER (customer IN {visitors})
                FROM (SELECT DISTINCT LOWER(customer_id) AS customer FROM {_rows(draft.rows)}
                  WHERE customer_id IS NOT NULL)"""
            )
        )
    draft = draft._replace(buyers=Buyers(of, known))
    if not of or known == of:
        return draft
    said = f"visits know {known} of its {of} customers; the others have no touchpoint to credit"
    return draft._replace(finding=draft.finding._replace(notes=(*draft.finding.notes, said)))


def _rows(files: Iterable[Path]) -> str:
    listed = ", ".join(literal(str(file)) for file in files)
    return f"read_parquet([{listed}], union_by_name = true)"


def add_journeys(proposal: Proposal, drafts: Iterable[Draft]) -> None:
    """Have the visits of all contacts of a deal's account count, where deals name no customer that visits know."""
    by_table = {each.kind.name: each for each in drafts if not each.finding.problem}
    deals, contacts = by_table.get("salesforce.opportunities"), by_table.get("salesforce.contacts")
    if not deals or not contacts or not {"account_id"} <= deals.kind.columns.keys():
        return
    if deals.buyers.known or ("sources", "salesforce", "contacts", "files") not in proposal.lines:
        return
    why = "visits know no customer of a deal: those of its account's contacts count"
    proposal.put(("attribution", "journeys"), "account", why)
    if not any(_has_addresses(each) for each in by_table.values()):
        said = "visits name no e-mail addresses"
        proposal.put(("attribution", "contacts", "match"), "contact_id", said)


def _has_addresses(draft: Draft) -> bool:
    figures = draft.finding.figures
    if draft.kind.name != "web.sessions" or not figures or "customer_id" not in figures.columns:
        return False
    place = figures.columns.index("customer_id")
    return any("@" in (row[place] or "") for row in figures.sample)
