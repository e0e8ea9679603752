"""Turn what a client's models learn into the variables of the model `channel_scores`."""

from pipelines.blueprints.model_choice import fallback
from pipelines.learning.learners import learning
from pipelines.settings.attribution import Attribution


def variables(settings: Attribution) -> dict[str, object]:
    """Return the blueprint variables of the model `channel_scores`."""
    models = learning(settings)
    names = " UNION ALL ".join(f"SELECT '{model}' AS model" for model in models)
    nothing = "SELECT NULL::TEXT AS model WHERE FALSE"
    return {
        "learns_channels": bool(models),
        "learning_models": f"({names or nothing})",
        "markov_versions": models.get("markov", "markov"),
        "shapley_versions": models.get("shapley", "shapley"),
        "fallback": settings.learning.fallback,
        "fallback_weight": fallback(settings),
    }
