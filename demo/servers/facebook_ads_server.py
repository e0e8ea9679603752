"""Speak the Facebook Ads (Meta Insights) part of the Graph API.

Insights at once or as a report job, cursors whose `next` link holds the access token, usage
headers on every answer, errors and limits as Graph bodies. See
developers.facebook.com/docs/marketing-api/insights.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from demo.servers import insights
from demo.servers.graph import GraphServer, failure, parameters, refused, unknown
from demo.servers.http_server import Answer, Fault, Request, Status, route

VERSION = r"/v[\d.]+"
TOO_MUCH = "Please reduce the amount of data you're asking for, then retry your request"


@dataclass
class Account:
    """An advertising account; a row is one ad on one day, its spend a decimal string."""

    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    rows: list[dict] = field(default_factory=list)
    status: int = 1
    permitted: bool = True


@dataclass
class Job:
    """A report run: its finished rows, and how often it was asked for."""

    account: str
    rows: list[dict]
    end: str = "Job Completed"
    polled: int = 0


@dataclass(frozen=True)
class JobEnds(Fault):
    """Start a report job that ends with this status in place of completion."""

    status: str
    method = "POST"
    path = "/insights$"

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        answer = produce()
        job = server.jobs.get(json.loads(answer.body).get("report_run_id"))
        if job:
            job.end = self.status
        return answer


def app_limit() -> Status:
    """Answer that the application is over its limit, for every account."""
    return failure(400, 4, "(#4) Application request limit reached", is_transient=True)


def account_limit(code: int = 17) -> Status:
    """Answer that one ad account is over its limit, in either of the two codes: 17 or 613."""
    if code == 17:
        return failure(400, 17, "User request limit reached", 2446079, is_transient=True)
    message = "(#613) Calls to this api have exceeded the rate limit."
    return failure(400, 613, message, 1487742, is_transient=True)


def business_limit(minutes: int, account: str) -> Status:
    """Answer that an account used up its business use case, and when it may come back."""
    usage = {"type": "ads_insights", "call_count": 100, "total_cputime": 25, "total_time": 25}
    usage |= {"estimated_time_to_regain_access": minutes, "ads_api_access_tier": "standard_access"}
    message = (
        "(#80000) There have been too many calls from this ad-account. Wait a bit and try again."
    )
    headers = {"x-business-use-case-usage": json.dumps({account: [usage]})}
    return failure(400, 80000, message, 2446079, headers=headers)


def server_error() -> Status:
    """Answer that the platform failed for a moment."""
    message = "An unexpected error has occurred. Please retry your request later."
    return failure(500, 2, message, is_transient=True)


def job_fails() -> JobEnds:
    """Let the next report job fail."""
    return JobEnds("Job Failed")


def job_skipped() -> JobEnds:
    """Let the next report job expire unread."""
    return JobEnds("Job Skipped")


class FacebookAdsServer(GraphServer):
    """Serve the accounts in `accounts` to the holder of `token`; `today` bounds the history."""

    def __init__(self, today: date | None = None) -> None:
        super().__init__()
        self.accounts: dict[str, Account] = {}
        self.today = today or date.today()
        self.sync_rows = 10_000
        self.polls = 2
        self.jobs: dict[str, Job] = {}

    @route("GET", VERSION + r"/act_(?P<account_id>\w+)")
    def account(self, request: Request, account_id: str) -> Answer:
        account = self._account(request, account_id)
        values: dict[str, Any] = {
            "id": f"act_{account_id}",
            "account_id": account_id,
            "currency": account.currency,
        }
        values |= {"timezone_name": account.time_zone, "account_status": account.status}
        fields = insights.fields(request.query) or ["account_id"]
        for name in fields:
            if name not in values:
                message = (
                    f"(#100) Tried accessing nonexisting field ({name}) on node type (AdAccount)"
                )
                raise refused(400, 100, message)
        return Answer.of(200, {name: values[name] for name in dict.fromkeys([*fields, "id"])})

    @route("GET", VERSION + r"/act_(?P<account_id>\w+)/insights")
    def report(self, request: Request, account_id: str) -> Answer:
        rows = self._report(account_id, self._account(request, account_id), request.query)
        if len(rows) > self.sync_rows:
            raise refused(500, 1, TOO_MUCH)
        return self.page(request, rows)

    @route("POST", VERSION + r"/act_(?P<account_id>\w+)/insights")
    def start_job(self, request: Request, account_id: str) -> Answer:
        account = self._account(request, account_id)
        job = Job(account_id, self._report(account_id, account, parameters(request)))
        name = str(6_000_000_000_000 + len(self.jobs))
        self.jobs[name] = job
        return Answer.of(200, {"report_run_id": name})

    @route("GET", VERSION + r"/(?P<name>\d+)")
    def job(self, request: Request, name: str) -> Answer:
        job = self._job(request, name)
        job.polled += 1
        body: dict[str, Any] = {"id": name, "account_id": job.account, "async_status": job.end}
        body["async_percent_completion"] = 100
        if job.polled <= self.polls:
            body["async_status"] = "Job Not Started" if job.polled == 1 else "Job Running"
            body["async_percent_completion"] = 100 * (job.polled - 1) // self.polls
        elif job.end == "Job Failed":
            body |= {"error_code": 2601, "error_message": "There was an error running your report."}
        return Answer.of(200, body)

    @route("GET", VERSION + r"/(?P<name>\d+)/insights")
    def job_insights(self, request: Request, name: str) -> Answer:
        job = self._job(request, name)
        if job.polled <= self.polls or job.end != "Job Completed":
            message = "(#2601) Loading Async Session failed: the report run is not completed."
            raise refused(400, 2601, message)
        return self.page(request, job.rows)

    def _account(self, request: Request, account_id: str) -> Account:
        self.authenticate(request)
        account = self.accounts.get(account_id)
        if account is None:
            raise unknown(f"act_{account_id}")
        if not account.permitted:
            message = "(#200) Ad account owner has NOT grant ads_management or ads_read permission"
            raise refused(403, 200, message)
        return account

    def _job(self, request: Request, name: str) -> Job:
        self.authenticate(request)
        if name not in self.jobs:
            raise unknown(name)
        return self.jobs[name]

    def _report(self, account_id: str, account: Account, asked: dict[str, str]) -> list[dict]:
        facts = {"account_id": account_id, "account_currency": account.currency}
        try:
            return insights.report(account.rows, facts, asked, self.today)
        except insights.Rejected as error:
            raise refused(400, error.code, f"(#{error.code}) {error}") from None
