"""Keep what a promotion takes out of force, for a rollback; and end a rollback that was in force."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from sqlmesh.core.context import GenericContext

from pipelines.learning.later_versions import bring_back_later, set_aside_later
from pipelines.serving.kept_environments import keep_shown, kept, shown
from pipelines.settings.reader import promoted_text
from pipelines.settings.replaced import (
    end_rollback,
    forget_replaced,
    in_force_again,
    keep_replaced,
    replaced,
)


@contextmanager
def replacing(context: GenericContext, client: str, keep_days: float) -> Iterator[None]:
    """Promote a client meanwhile: what `prod` shows of it before is kept for some days.

    A promotion that fails changes nothing. One that passes ends a rollback; what was promoted after what
    was in force again is kept no more: a later rollback leads past it.
    """
    before, text, now = in_force_again(client), promoted_text(client), datetime.now(timezone.utc)
    models, name = shown(context, client), ""
    if text is not None and models:
        name = keep_replaced(client, text, now)
        keep_shown(context, client, name, now + timedelta(days=keep_days))
    try:
        yield
    except BaseException:
        _forget(client, name)
        raise
    end_rollback(client)
    if models == shown(context, client):
        _forget(client, name)
    for each in replaced(client):
        is_past = before and before.name <= each.name != name
        if is_past or not kept(context, client, each.name):
            forget_replaced(client, each.name)


@contextmanager
def learnt_as_filed(client: str) -> Iterator[None]:
    """Let a rolled back client's file be previewed or promoted with all that its models have learnt."""
    bring_back_later(client)
    try:
        yield
    finally:
        if again := in_force_again(client):
            set_aside_later(client, again.at)


def _forget(client: str, name: str) -> None:
    if name:
        forget_replaced(client, name)
