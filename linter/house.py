"""What must never be: the house's own rules, run by `sqlmesh lint` and before every plan."""

from functools import cache

from sqlglot import exp
from sqlmesh.core.linter.rule import Rule, RuleViolation
from sqlmesh.core.model import Model

from linter.columns import meanings

LAYERS = ("staging", "journeys", "attribution", "marts", "publish")


class NoReadAcrossClients(Rule):
    """A model reads its own client's tables only."""

    def check_model(self, model: Model) -> RuleViolation | None:
        strangers = sorted(
            name for name in model.depends_on if _home(name)[0] != _home(model.fqn)[0]
        )
        return self.violation(f"{model.name} reads {', '.join(strangers)}") if strangers else None


class NoReadUpwards(Rule):
    """A layer reads those before it and itself, never those after it."""

    def check_model(self, model: Model) -> RuleViolation | None:
        own = LAYERS.index(_home(model.fqn)[1])
        later = sorted(name for name in model.depends_on if LAYERS.index(_home(name)[1]) > own)
        return self.violation(f"{model.name} reads {', '.join(later)}") if later else None


class NoPublishPastMarts(Rule):
    """What outsiders read comes from candidates that are audited: publish reads marts only."""

    def check_model(self, model: Model) -> RuleViolation | None:
        if _home(model.fqn)[1] != "publish":
            return None
        others = sorted(name for name in model.depends_on if _home(name)[1] != "marts")
        return self.violation(f"{model.name} reads {', '.join(others)}") if others else None


class NoMissingGrain(Rule):
    """A model says what makes a row one."""

    def check_model(self, model: Model) -> RuleViolation | None:
        return None if model.grains else self.violation(f"{model.name} has no grain")


class NoMissingColumnComment(Rule):
    """Every column says what its name cannot: unit, time zone, NULL."""

    def check_model(self, model: Model) -> RuleViolation | None:
        comments = model.column_descriptions
        columns = model.render_query_or_raise().named_selects
        silent = [name for name in columns if name not in comments]
        return (
            self.violation(f"{model.name}: no comment beside {', '.join(silent)}")
            if silent
            else None
        )


class NoOtherColumnMeaning(Rule):
    """A column that several models have means what `linter/columns.yaml` says, word for word."""

    def check_model(self, model: Model) -> RuleViolation | None:
        comments = model.column_descriptions
        listed = meanings()
        other = [name for name, text in comments.items() if listed.get(name, text) != text]
        return (
            self.violation(
                f"{model.name}: linter/columns.yaml says otherwise of {', '.join(other)};"
                " `make format` writes it beside the column"
            )
            if other
            else None
        )


class NoMissingDescription(Rule):
    """A model begins with a sentence that says what a row is."""

    def check_model(self, model: Model) -> RuleViolation | None:
        return None if model.description else self.violation(f"{model.name} has no sentence")


@cache
def _home(name: str) -> list[str]:
    """Return client and layer of a model, by its schema."""
    return exp.to_table(name).db.split("_", 1)
