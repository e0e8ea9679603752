"""What attribution by account and by milestones should say, row by row in plain Python.

As `oracle`, it takes a whole history, keeps what was committed before a moment, and works it out
from the beginning.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

from pipelines.settings.client import Client
from tests.builders.lake_writer import Load
from tests.oracles import oracle
from tests.oracles.browser_oracle import Browsers
from tests.oracles.oracle import Touch


class Crm:
    """What the sources say at a moment."""

    def __init__(self, history: list[Load], client: Client, until: datetime) -> None:
        self.client, self.by_account = client, client.attribution.journeys == "account"
        self.settings = client.attribution.contacts
        tables = ("opportunities", "contacts", "contact_roles", "leads", "campaign_members")
        self.opportunities, self.contacts, self.roles, self.leads, self.members = (
            oracle._newest(history, "salesforce", table, until) for table in tables
        )
        self.touches = sorted(
            [*map(self._named, oracle._touches(history, client, until)), *self._responses()]
        )
        self.browsers = Browsers(self.touches, client.attribution.identity)

    def credits(self) -> dict[tuple, float]:
        """Return credit by conversion, touchpoint and model."""
        found, attribution = {}, self.client.attribution
        for deal in self._won():
            path = self._path(deal)
            for model in [attribution.model, *attribution.compare]:
                weights = self._weights(deal, path, model)
                for touch, weight in zip(path, weights):
                    key = (deal["opportunity_id"], touch.touchpoint_id, model)
                    found[key] = float(weight / sum(weights) if sum(weights) else 1 / len(path))
                if not path:
                    found[deal["opportunity_id"], None, model] = 1.0
        return found

    def _weights(self, deal: dict, path: list[Touch], model: str) -> list[Fraction]:
        if model == "linear":
            return [Fraction(1)] * len(path)
        chosen = getattr(self.client.attribution, model).by_milestone
        held: dict[int, Fraction] = defaultdict(Fraction)
        for name, share in chosen.items():
            if (position := self._holder(deal, path, name)) is not None:
                held[position] += Fraction(str(share))
        rest = 1 - sum(Fraction(str(share)) for share in chosen.values())
        return [held.get(i, rest / max(len(path) - len(held), 1)) for i in range(len(path))]

    def _holder(self, deal: dict, path: list[Touch], name: str) -> int | None:
        if name == "first":
            return 0 if path else None
        closed_at = self._utc_by(deal["closed_at"])
        dates = [
            date for date in self._dates(deal, name) if self._day(date) <= self._day(closed_at)
        ]
        before = [i for i, touch in enumerate(path) if dates and touch.touched_at <= min(dates)]
        return max(before, default=None)

    def _dates(self, deal: dict, name: str) -> list[datetime]:
        if name == "lead":
            return [
                self._utc_by(lead["created_at"]) for lead in self.leads if self._is_of(lead, deal)
            ]
        known = {"opportunity": "opened_at", "closing": "closed_at"}
        text = deal[(known | self.client.attribution.milestones.dates)[name]]
        return [self._utc_by(text)] if text else []

    def _is_of(self, lead: dict, deal: dict) -> bool:
        if lead["converted_opportunity_id"] == deal["opportunity_id"]:
            return True
        if self.by_account:
            return lead["converted_contact_id"] in self._contacts_of(deal)
        account = deal["account_id"] or deal["customer_id"]
        return account is not None and lead["converted_account_id"] == account

    def _contacts_of(self, deal: dict) -> set[str]:
        roles = self.settings.roles
        if roles is None:
            account = deal["account_id"] or deal["customer_id"]
            return {
                contact["contact_id"]
                for contact in self.contacts
                if account and contact["account_id"] == account
            }
        return {
            role["contact_id"]
            for role in self.roles
            if role["opportunity_id"] == deal["opportunity_id"]
            and (
                roles == "any"
                or (roles == "primary" and role["is_primary"] == "true")
                or (isinstance(roles, list) and (role["role"] or "").title() in roles)
            )
        }

    def _people(self, deal: dict) -> set[str]:
        if not self.by_account:
            return {deal["customer_id"]} - {None}
        contacts = self._contacts_of(deal)
        rows = [row for row in self.contacts if row["contact_id"] in contacts]
        leads = [row for row in self.leads if row["converted_contact_id"] in contacts]
        names = [deal["customer_id"], *(row["contact_id"] for row in rows)]
        names += [row["lead_id"] for row in leads]
        if self.settings.match == "email":
            names += [row["email"] for row in (*rows, *leads)]
        return {name.lower() for name in names if name}

    def _path(self, deal: dict) -> list[Touch]:
        people, closed_at = self._people(deal), self._utc_by(deal["closed_at"])
        opened = closed_at - timedelta(days=self.client.attribution.lookback_days)
        path = [
            touch
            for touch in self.touches
            if opened <= touch.touched_at <= closed_at
            and self.browsers.owner(touch, closed_at) in people
        ]
        return oracle._eligible(path, self.client.attribution.direct_touches)

    def _won(self) -> list[dict]:
        return [deal for deal in self.opportunities if deal["is_won"] == "true"]

    def _named(self, touch: Touch) -> Touch:
        if not self.by_account or touch.customer_id is None:
            return touch
        return touch._replace(customer_id=touch.customer_id.lower())

    def _responses(self) -> list[Touch]:
        if not self.settings.campaign_members:
            return []
        return [
            Touch(
                self._utc(row["first_responded_date"] or row["created_at"]),
                row["campaign_member_id"],
                None,
                person.lower() if (person := row["contact_id"] or row["lead_id"]) else None,
                row["campaign_type"] or "Offline",
                row["campaign"] or "(not set)",
            )
            for row in self.members
            if row["has_responded"] == "true"
        ]

    def _day(self, moment: datetime) -> date:
        zone = ZoneInfo(self.client.timezone)
        return moment.replace(tzinfo=timezone.utc).astimezone(zone).date()

    def _utc(self, text: str) -> datetime:
        return oracle._utc(text, self.client)

    def _utc_by(self, text: str) -> datetime:
        return oracle._utc_by(text, self.client)
