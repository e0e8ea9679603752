"""Say how often a source is expected to have newer data: `1 day`, `7 days`, `never`."""

EVERY = r"^(never|1 day|[1-9][0-9]{0,2} days)$"
MEANING = (
    "How often newer data is due, with a day's grace; after it the source is `stale`. Left out, `1 day`;"
    " of rates `7 days`; of clients, contacts and contact_roles `never`."
)


def days(every: str) -> int | None:
    """Return the days from one delivery to the next; None where none is expected.

    `days("7 days")` is 7, `days("never")` is None.
    """
    return None if every == "never" else int(every.split()[0])
