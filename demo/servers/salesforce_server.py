"""Speak the Salesforce REST interface: client credentials, `query`, `queryAll`, their pages.

Every data answer says how much of the day's requests is used; above the limit, and for ended
sessions, errors come as the platform's list of one. See developer.salesforce.com, REST API.
"""

import base64
import re
import time
from datetime import timedelta
from typing import Any

from demo.servers import soql
from demo.servers.http_server import Answer, Refused, Request, Server, Status, route

DATA = r"/services/data/(?P<version>v\d+\.\d)"
SYSTEM = (
    "Id IsDeleted CreatedById CreatedDate LastModifiedById LastModifiedDate OwnerId SystemModstamp"
)
_FIELDS = {
    "Account": "Name Type Industry ParentId Website BillingCountry AccountSource",
    "Campaign": "Name Type Status StartDate EndDate IsActive ParentId ActualCost BudgetedCost",
    "CampaignMember": "CampaignId LeadId ContactId Status HasResponded FirstRespondedDate Name",
    "Contact": "AccountId FirstName LastName Name Email Phone Title LeadSource",
    "Lead": "FirstName LastName Name Company Email Phone Title Status LeadSource IsConverted "
    "ConvertedDate ConvertedAccountId ConvertedContactId ConvertedOpportunityId",
    "Opportunity": "AccountId CampaignId ContactId Name StageName Amount Probability CloseDate "
    "Type LeadSource IsClosed IsWon ForecastCategory LastStageChangeDate",
    "OpportunityContactRole": "OpportunityId ContactId Role IsPrimary",
}
SCHEMA = {name: {*SYSTEM.split(), *fields.split()} for name, fields in _FIELDS.items()}
WSDL = "Please reference your WSDL or the describe call for the appropriate names."


def failure(status: int, code: str, message: str) -> Status:
    """Return an error in the platform's shape."""
    return Status(status, [{"message": message, "errorCode": code}], path="^/services/data/")


def request_limit() -> Status:
    """Answer that the organisation used all requests of its day."""
    return failure(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def server_unavailable() -> Status:
    """Answer that the platform is away for a moment."""
    return failure(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable.")


class SalesforceServer(Server):
    """Serve the records in `objects` to the holder of `credentials`."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, list[dict]] = {name: [] for name in SCHEMA}
        self.credentials = {"client_id": "3MVG9demo", "client_secret": "demo-secret"}
        self.user_active = True
        self.moved = timedelta(0)  # how far the org's clock is from that of this machine
        self.formulas: set[str] = set()  # such as `Opportunity.Margin__c`: calculated as it is read
        self.page_rows = 2000
        self.daily_limit = 100_000
        self.used = 0
        self._issued = self._asked = 0
        self._sessions: set[str] = set()
        self._locators: dict[str, list[dict]] = {}
        self._by_id: dict[str, dict[str, dict]] = {}

    def end_sessions(self) -> None:
        """End every session; a new token starts another."""
        self._sessions.clear()

    def knows(self, token: str) -> bool:
        """Return whether a session is open."""
        return token in self._sessions

    def expire_locators(self) -> None:
        """Forget every query that is not read to its end."""
        self._locators.clear()

    def heal(self) -> None:
        super().heal()
        self.used = 0

    def finish(self, request: Request, answer: Answer) -> Answer:
        if request.path.startswith("/services/data/"):
            usage = f"api-usage={self.used}/{self.daily_limit}"
            answer.headers.setdefault("Sforce-Limit-Info", usage)
        return answer

    def missing(self, request: Request) -> Answer:
        body = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
        return Answer.of(404, body)

    @route("POST", "/services/oauth2/token")
    def token(self, request: Request) -> Answer:
        form = request.form() | _basic(request)
        if form.get("grant_type") != "client_credentials":
            raise _oauth("unsupported_grant_type", "grant type not supported")
        if form.get("client_id") != self.credentials["client_id"]:
            raise _oauth("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.credentials["client_secret"]:
            raise _oauth("invalid_client", "invalid client credentials")
        if not self.user_active:
            raise _oauth("invalid_grant", "inactive user")
        self._issued += 1
        token = f"00D000000000001!demo.{self._issued}"
        self._sessions.add(token)
        now = time.time() + self.moved.total_seconds()
        body = {"access_token": token, "scope": "api", "instance_url": self.url}
        body |= {"id": f"{self.url}/id/00D000000000001AAA/005000000000001AAA"}
        body |= {"token_type": "Bearer", "issued_at": str(int(now * 1000))}
        return Answer.of(200, body)

    @route("GET", DATA + r"/(?P<verb>query|queryAll)/?")
    def query(self, request: Request, version: str, verb: str) -> Answer:
        self._admit(request)
        try:
            query = soql.parse(request.query.get("q", ""))
            self._check(query)
        except soql.QueryError as error:
            raise _refused(400, error.code, str(error)) from None
        records = self.objects[query.object]
        if verb == "query":
            records = [record for record in records if not record.get("IsDeleted")]
        relations = {name.partition(".")[0] for name in query.names() if "." in name}
        self._by_id = {name: {r["Id"]: r for r in self.objects[name]} for name in relations}
        found = soql.run(query, records, self._look)
        self._asked += 1
        name = f"01g{self._asked:012d}AAA"
        self._locators[name] = [self._record(record, query, version) for record in found]
        return self._page(request, version, name, 0)

    @route("GET", DATA + r"/sobjects/(?P<entity>\w+)/describe/?")
    def describe(self, request: Request, version: str, entity: str) -> Answer:
        self._admit(request)
        if entity not in self.objects:
            raise _refused(404, "NOT_FOUND", "The requested resource does not exist")
        fields = [
            {"name": name, "calculated": f"{entity}.{name}" in self.formulas}
            for name in sorted(self._fields(entity))
        ]
        return Answer.of(200, {"name": entity, "fields": fields})

    @route("GET", DATA + r"/(?:query|queryAll)/(?P<name>\w+)-(?P<start>\d+)")
    def more(self, request: Request, version: str, name: str, start: str) -> Answer:
        self._admit(request)
        if name not in self._locators or int(start) >= len(self._locators[name]):
            raise _refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, version, name, int(start))

    def _admit(self, request: Request) -> None:
        if request.bearer() not in self._sessions:
            raise _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.used += 1
        if self.used > self.daily_limit:
            limit = request_limit()
            raise Refused(limit.code, limit.body)

    def _check(self, query: soql.Query) -> None:
        if query.object not in self.objects:
            message = f"sObject type '{query.object}' is not supported. {WSDL}"
            raise soql.QueryError("INVALID_TYPE", message)
        for name in query.names():
            relation, _, field = name.rpartition(".")
            entity = relation or query.object
            exists = relation in self.objects and f"{relation}Id" in self._fields(query.object)
            if relation and not exists:
                message = f"Didn't understand relationship '{relation}' in field path. {WSDL}"
                raise soql.QueryError("INVALID_FIELD", message)
            if field not in self._fields(entity):
                message = f"No such column '{field}' on entity '{entity}'. {WSDL}"
                raise soql.QueryError("INVALID_FIELD", message)

    def _fields(self, name: str) -> set[str]:
        return SCHEMA.get(name, set(SYSTEM.split())).union(*self.objects.get(name, []))

    def _related(self, record: dict, relation: str) -> dict | None:
        return self._by_id[relation].get(record.get(f"{relation}Id", ""))

    def _look(self, record: dict, name: str) -> Any:
        relation, _, field = name.rpartition(".")
        owner = self._related(record, relation) if relation else record
        return (owner or {}).get(field)

    def _record(self, record: dict, query: soql.Query, version: str) -> dict:
        shaped: dict[str, Any] = {"attributes": _attributes(query.object, record, version)}
        for name in query.fields:
            relation, _, field = name.rpartition(".")
            related = self._related(record, relation) if relation else None
            if not relation:
                shaped[field] = soql.shown(record.get(field))
            elif related is None:
                shaped[relation] = None
            else:
                part = {"attributes": _attributes(relation, related, version)}
                shaped.setdefault(relation, part)[field] = soql.shown(related.get(field))
        return shaped

    def _page(self, request: Request, version: str, name: str, start: int) -> Answer:
        records = self._locators[name]
        end = start + min(self.page_rows, _batch(request))
        body: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        return Answer.of(200, {**body, "records": records[start:end]})


def _attributes(name: str, record: dict, version: str) -> dict[str, str]:
    return {"type": name, "url": f"/services/data/{version}/sobjects/{name}/{record['Id']}"}


def _batch(request: Request) -> int:
    asked = re.search(r"batchSize=(\d+)", request.headers.get("Sforce-Query-Options", ""))
    return max(200, int(asked[1])) if asked else 2000


def _basic(request: Request) -> dict[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return {"client_id": name, "client_secret": secret}


def _oauth(error: str, description: str) -> Refused:
    return Refused(400, {"error": error, "error_description": description})


def _refused(status: int, code: str, message: str) -> Refused:
    error = failure(status, code, message)
    return Refused(error.code, error.body)
