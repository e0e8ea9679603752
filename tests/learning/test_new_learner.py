"""A model that learns is one file and one entry: everything else follows from these two."""

import duckdb
import pytest

from tests.builders.checkout import copy_checkout
from tests.builders.learning_clients import ask_for_markov
from tests.conftest import House

POPULAR = '''"""Learn channels' values by how often each is met on the way to a conversion."""

import duckdb

from pipelines.learning.channel_values import ChannelLearner


def met(paths, settings):
    """Return each channel's share of the touchpoints of converting paths."""
    return duckdb.sql(
        """SELECT channel, SUM(conversions) / SUM(SUM(conversions)) OVER () AS value
        FROM (SELECT UNNEST(path) AS channel, conversions FROM paths) GROUP BY channel"""
    ).to_arrow_table()


LEARNER = ChannelLearner(folder=lambda settings: "popular", values=met)
'''


@pytest.mark.slow
def test_a_model_that_learns_is_one_file_and_one_entry(served: House, tmp_path) -> None:
    project = copy_checkout(tmp_path / "project")
    (project / "pipelines/learning/popular.py").write_text(POPULAR)
    entries = project / "pipelines/attribution/learned_models.py"
    start = "LEARNED_MODELS = {\n"
    assert start in entries.read_text()
    entries.write_text(
        entries.read_text().replace(start, f'{start}    "popular": LearnedModel("popular"),\n')
    )
    ask_for_markov(served, "acme")
    served.edit("acme", "model: markov", "model: popular")

    done = served.run("sh", "-c", f"cd {project} && python -m pipelines promote acme")

    assert done.returncode == 0 and "acme: promoted" in done.stdout, done.stdout
    (version,) = (served.home / "lake/acme/_models/popular").glob("*.parquet")
    learnt = duckdb.sql(f"SELECT SUM(value) FROM read_parquet('{version}')").fetchone()
    assert learnt == (pytest.approx(1),)
    scores = f"acme_attribution.channel_scores WHERE version = '{version.stem}'"
    assert served.rows(f"SELECT COUNT(*) > 0 FROM {scores} AND model = 'popular'") == [(True,)]
    credit = "acme_publish.attribution_v1 WHERE is_attributed"
    assert served.rows(f"SELECT DISTINCT model, method FROM {credit}") == [("popular", "popular")]
