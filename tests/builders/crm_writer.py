"""Invent a CRM's history that hurts: people who move, roles that come late, leads that become contacts."""

from pipelines.contracts.catalog import CONTRACTS
from tests.builders.lake_writer import World


class CrmWorld(World):
    """Sessions and deals as ever, and what a CRM knows of the people behind them."""

    ACCOUNTS = ("acme", "globex", None)
    CONTACTS = tuple(f"003C{number}" for number in range(4))
    LEADS = tuple(f"00Q{number}" for number in range(3))
    EMAILS = ("ann@acme.com", "bob@globex.com", "cem@home.org")
    WRITTEN = ("Ann@Acme.com", "ann@acme.com", "BOB@globex.com", "cem@home.org", "003c0", "00q1")

    def _tables(self) -> list[tuple[str, str]]:
        tables = {"opportunities": 4, "contacts": 2, "contact_roles": 2, "leads": 3}
        if self.client.attribution.contacts.campaign_members:
            tables["campaign_members"] = 1
        crm = [("salesforce", table) for table, often in tables.items() for _ in range(often)]
        return [*crm, *[("web", "sessions")] * 4]

    def _changed(self, table: str, row: dict) -> dict:
        if table in ("sessions", "opportunities"):
            return super()._changed(table, row)
        other = self._new(table)
        kept = {column for column in row if self.random.random() < 0.5}
        kept |= {*CONTRACTS["salesforce"][table].key}
        return other | {column: row[column] for column in kept} | {"is_deleted": False}

    def _new_sessions(self) -> dict:
        return super()._new_sessions() | {"customer_id": self._any([*self.WRITTEN, *[None] * 5])}

    def _new_opportunities(self) -> dict:
        return super()._new_opportunities() | {
            "customer_id": self._any(["acme", "Ann@Acme.com", "cem@home.org", None]),
            "account_id": self._any(self.ACCOUNTS),
            "opened_at": self._any([None, self._day_or_time(), self._day_or_time()]),
            "milestone_1": None,
            "milestone_2": self._any([None, self._touch(), self._touch()[:10]]),
            "milestone_3": self._touch(),
        }

    def _new_contacts(self) -> dict:
        return {
            "contact_id": self._any(self.CONTACTS),
            "account_id": self._any(self.ACCOUNTS),
            "email": self._any([*self.EMAILS, "Ann@acme.com", None]),
            "name": self._any(["Ann", "Bob"]),
            "created_at": None,
        }

    def _new_contact_roles(self) -> dict:
        return {
            "contact_role_id": f"00K{self.random.randrange(6)}",
            "opportunity_id": self._deal(),
            "contact_id": self._any(self.CONTACTS),
            "role": self._any(["Decision Maker", "User", None]),
            "is_primary": self._any(["true", "false", None]),
        }

    def _new_leads(self) -> dict:
        return {
            "lead_id": self._any(self.LEADS),
            "created_at": self._day_or_time(),
            "email": self._any([*self.EMAILS, None]),
            "company": self._any(["Acme", None]),
            "converted_date": None,
            "converted_account_id": self._any(self.ACCOUNTS),
            "converted_contact_id": self._any(self.CONTACTS),
            "converted_opportunity_id": self._any([self._deal(), None]),
        }

    def _new_campaign_members(self) -> dict:
        return {
            "campaign_member_id": f"00V{self.random.randrange(6)}",
            "campaign_id": "701A",
            "campaign": self._any(["Fair", None]),
            "campaign_type": self._any(["Event", None]),
            "lead_id": self._any([*self.LEADS, None]),
            "contact_id": self._any([*self.CONTACTS, None]),
            "status": None,
            "has_responded": self._any(["true", "true", "false", None]),
            "first_responded_date": self._any([self._touch()[:10], None]),
            "created_at": self._touch(),
        }

    def _day_or_time(self) -> str:
        return self._any([self._text, self._text, self._day])(self._any(self.touched))

    def _deal(self) -> str:
        return self._any(sorted(self.rows.get(("salesforce", "opportunities"), {})) or ["none"])
