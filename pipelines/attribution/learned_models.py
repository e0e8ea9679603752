"""Models that learn: what a touchpoint weighs is its score, in a table of the attribution layer."""

# The table of the attribution layer with each model's scores:
# - markov: what removing the channel from the learnt chain would cost (Anderl and others, 2016);
# - shapley: the channel's learnt Shapley value;
# - ihc: initializer, holder and closer, by the service or by the local model;
# - ihc_local: the same by the local model, whoever computes `ihc`: to compare.
SCORE_TABLES = {
    "markov": "channel_scores",
    "shapley": "channel_scores",
    "ihc": "ihc_scores",
    "ihc_local": "ihc_local",
}


def score() -> str:
    """The touchpoint's score, as the model computed it."""
    return "score"
