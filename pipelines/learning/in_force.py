"""Say which learnt versions a client's credit is given by."""

from pipelines.learning.learners import learners
from pipelines.learning.lesson import kept
from pipelines.settings.client import Client


def learnt_versions(client: Client) -> dict[str, str]:
    """Return the name of the newest version of each of the client's models that learn."""
    found = {model: kept(learner, client) for model, learner in learners(client).items()}
    return {model: versions[-1].name for model, versions in found.items() if versions}
