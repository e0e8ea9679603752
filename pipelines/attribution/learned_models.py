"""The models that learn: what a touchpoint weighs is its score, in a table of the attribution layer.

An entry makes a model one that clients may choose. How it learns is in the module of
`pipelines/learning/` that the entry names: its `LEARNER`. `LearnedModel("markov")` is trained by
`pipelines/learning/markov.py`.
"""

from typing import NamedTuple


class LearnedModel(NamedTuple):
    """A model that learns: the module that trains it, and the table with its scores."""

    learner: str  # in pipelines/learning/; two models may go by what one has learnt
    scores: str = "channel_scores"  # of the attribution layer; this one has values of channels


LEARNED_MODELS = {
    # What removing the channel from the learnt chain would cost (Anderl and others, 2016).
    "markov": LearnedModel("markov"),
    # The channel's learnt Shapley value.
    "shapley": LearnedModel("shapley"),
    # What it and its pairs add to the chance of a conversion (Shao and Li, 2011).
    "shao_li": LearnedModel("shao_li"),
    # Initializer, holder and closer, by the service or by the local model.
    "ihc": LearnedModel("curves", scores="ihc_scores"),
    # The same by the local model, whoever computes `ihc`: to compare.
    "ihc_local": LearnedModel("curves", scores="ihc_local"),
}


def score() -> str:
    """The touchpoint's score, as the model computed it."""
    return "score"
