"""Tell by the values of columns who converted: by which column orders and deals name the customers of visits."""

from collections.abc import Iterable

from pipelines.doctor.kinds import Kind
from pipelines.doctor.proposal import Proposal
from pipelines.doctor.reports import Report
from pipelines.doctor.tried_drafts import Draft

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


def add_journeys(proposal: Proposal, drafts: Iterable[Draft]) -> None:
    """Have the visits of all contacts of a deal's account count, where the deal itself names no customer."""
    place = ("sources", "salesforce")
    lines = proposal.lines
    names_nobody = lines.get((*place, "opportunities", "columns", "customer_id"), ("",))[0] is None
    has_account = (*place, "opportunities", "columns", "account_id") in lines
    if names_nobody and has_account and (*place, "contacts", "files") in lines:
        why = "deals name an account and no customer: the visits of its contacts count"
        proposal.put(("attribution", "journeys"), "account", why)
        if not any(_has_addresses(each) for each in drafts):
            said = "visits name no e-mail addresses"
            proposal.put(("attribution", "contacts", "match"), "contact_id", said)


def _has_addresses(draft: Draft) -> bool:
    figures = draft.finding.figures
    if draft.kind.name != "web.sessions" or not figures or "customer_id" not in figures.columns:
        return False
    place = figures.columns.index("customer_id")
    return any("@" in (row[place] or "") for row in figures.sample)
