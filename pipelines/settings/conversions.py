"""Say what counts as a conversion, and by what window and model each type is credited."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from pipelines.settings.attribution import Attribution, check_active
from pipelines.settings.base import Settings
from pipelines.settings.conditions import columns_of, read_condition

BUILT_IN = {
    "deal": None,
    "purchase": "purchase",
    "site": None,
}  # the type, and the event that it is


def _free(event: str) -> str:
    if event in ("page_view", "purchase"):
        role = "a touchpoint" if event == "page_view" else "the type `purchase`"
        raise ValueError(f"the event {event} is {role} already; name another event")
    return event


TypeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), "a name in lower case"]


class ConversionType(Settings):
    """One type of conversion, and what differs from `attribution:` for it."""

    event: Annotated[str, Field(min_length=1), AfterValidator(_free)] | None = Field(
        None,
        description="The `event_type` in `web.events` that is this conversion; a type of the client's own needs it.",
    )
    where: str | None = Field(
        None,
        description="Which of these events count, as SQL over columns of `web.events` and its `properties`, such as"
        " `plan = 'pro' AND value > 10`; the others are no conversions. Of types that one event may be, the first counts.",
    )
    counting: Literal["every", "first"] | None = Field(
        None,
        description="Whether `every` conversion of a customer counts, which it does if left out, or only the `first`"
        " of the type: by its time, as far as it is known.",
    )
    lookback_days: int | None = Field(
        None, ge=1, le=3650, description="As `attribution.lookback_days`, for this type."
    )
    model: str | None = Field(None, description="As `attribution.model`, for this type.")
    counts: bool | None = Field(
        None,
        description="Whether the type is in campaigns and totals. Left out, the built-in types are and others are not.",
    )

    @field_validator("where", mode="before")
    @classmethod
    def _is_a_condition(cls, written: Any) -> Any:
        if isinstance(written, str):
            read_condition(written)
        return written

    @property
    def attribution(self) -> dict[str, object]:
        """Return what differs from the client's attribution."""
        return self.model_dump(include={"lookback_days", "model"}, exclude_none=True)


def checked(types: dict[str, ConversionType]) -> dict[str, ConversionType]:
    """Return the types as written. Raise ValueError where one has no event, or another's."""
    events: dict[str | None, str] = {
        "purchase": "purchase"
    }  # by event, the type that takes all of it
    for name, settings in types.items():
        if name in BUILT_IN and settings.event:
            raise ValueError(f"{name}.event: the type {name} is built in; remove the event")
        if name not in BUILT_IN and not settings.event:
            raise ValueError(f"{name}: name the event that is this conversion, as `event: {name}`")
        if name in BUILT_IN and settings.where and not BUILT_IN[name]:
            raise ValueError(f"{name}.where: only events have columns to ask for; remove it")
        if name not in BUILT_IN and settings.event in events:
            other = events[settings.event]
            remedy = f"write {name} above {other}" if settings.where else "remove one"
            raise ValueError(
                f"{name}.event: {settings.event} is the type {other} already; {remedy}"
            )
        if name not in BUILT_IN and not settings.where:
            events[settings.event] = name
    return types


Types = Annotated[dict[TypeName, ConversionType], AfterValidator(checked)]


def know_their_models(types: Types, attribution: Attribution) -> None:
    """Raise ValueError for a type whose model is not there, or not additive."""
    for name, settings in types.items():
        try:
            if settings.model is not None:
                check_active(settings.model, attribution.custom)
        except ValueError as error:
            raise ValueError(f"{name}.model: {error}") from None


def know_their_columns(types: Types, columns: Collection[str], own: Collection[str]) -> None:
    """Raise ValueError for a `where` that names a column that events do not have."""
    for name, settings in types.items():
        read = columns_of(settings.where) if settings.where else set()
        if unknown := sorted(read - set(columns)):
            raise ValueError(
                f"{name}.where: web.events has no column {', '.join(unknown)}; it has"
                f" {', '.join(columns)}. A further column of the export is named under"
                f" sources.web.events, such as properties: [{', '.join([*own, *unknown])}]"
            )


class Rules(Settings):
    """How one type is credited, nothing left out."""

    event: str | None
    where: str | None
    counts: bool
    counting: Literal["every", "first"]
    attribution: Attribution


def rules(types: Types, attribution: Attribution) -> dict[str, Rules]:
    """Return the rules of each type there is, the built-in ones first.

    Every type is credited by every model that any of them asks for, so that they can be compared.
    """
    written = {name: types.get(name, ConversionType()) for name in [*BUILT_IN, *types]}
    chosen = {name: attribution.model_copy(update=one.attribution) for name, one in written.items()}
    asked = [attribution.model, *attribution.compare, *(one.model for one in chosen.values())]
    return {
        name: Rules(
            event=BUILT_IN.get(name, one.event),
            where=one.where,
            counting=one.counting or "every",
            counts=name in BUILT_IN if one.counts is None else one.counts,
            attribution=chosen[name].model_copy(update={"compare": list(dict.fromkeys(asked))}),
        )
        for name, one in written.items()
    }


def with_every_model(types: Types, attribution: Attribution) -> Attribution:
    """Return the attribution with every model that any type asks for."""
    return rules(types, attribution)["deal"].attribution
