"""Check that what is said of a platform, a bucket or a database helps whoever reads it."""

import re

from pipelines.ingest.source_status import Status

# What somebody can do, or need not do.
_HELPS = re.compile(
    "tries again|run it again|again after|; check |; set |; correct |; consent again|; have |; let |; list "
    "|; write |; name another|; give it |run there: |report it|CLIENTS__"
)


def assert_helps(status: Status) -> None:
    """Assert that a problem is one line with a remedy, and with a place where its client has what it names."""
    said = status.summary
    assert _HELPS.search(said), said
    assert "\n" not in said and "Traceback" not in said and "deliver it again" not in said.lower()
    if status.code in ("credentials_expired", "credentials_refused", "consent_revoked"):
        assert f"CLIENTS__{status.client}__{status.source}__".upper() in said, said
    if status.code in ("unknown_account", "version_expired"):
        assert f"sources.{status.source}.api in clients/{status.client}.yaml" in said, said
