"""Let models and macros import the project's code in `sqlmesh run`, which loads no project.

A run takes models from SQLMesh's state; of the project it imports this folder only, with the project
on Python's path meanwhile. A package that is imported once is found ever after, wherever the command
runs. So this is also the place where every command, bare `sqlmesh run` too, bounds its models' time,
notes which it computes, and learns to write the published files.
"""

from pipelines.serving.after_runs import write_files_after_runs
from pipelines.serving.model_time import bound_models
from pipelines.serving.noted_models import note_models

bound_models()
note_models()
write_files_after_runs()
