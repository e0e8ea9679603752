"""Load each client's models once: keep them until what they are made of changes.

SQLMesh keeps the models that a file makes of all blueprints in one entry of its cache, as long as no
file of the project is newer. It sees neither `$ATTRIBUTION_HOME/clients/` nor what a client's models
have learnt. Here an entry holds the model that one file makes of one client, and its name is a
digest of all that this model is made of: the file and the models' files that it names, those
variables of the client whose names are in it, macros, audits and `pipelines`, the configuration.
So an edit of one client's file loads the models again that read what was edited, a comment loads
none, and no entry is ever taken for another.
"""

import gc
import hashlib
import pickle
from pathlib import Path
from typing import NamedTuple, cast

from sqlglot import exp
from sqlmesh.core import constants
from sqlmesh.core.loader import SqlMeshLoader
from sqlmesh.core.model import Model, SqlModel
from sqlmesh.utils.cache import FileCache
from sqlmesh.utils.errors import ConfigError

from pipelines.blueprints.blueprint import blueprints
from pipelines.blueprints.reckoned_once import reckon_once
from pipelines.blueprints.used_variables import Assignments, ModelFile, names_asked_for
from pipelines.code import code_digest
from pipelines.home import home, project_folder


class _Disabled(NamedTuple):
    """Stands for a file that makes no client a model: SQLMesh skips what is not enabled."""

    fqn: str = ""
    enabled: bool = False


class ClientModels(SqlMeshLoader._Cache):
    """SQLMesh's cache of loaded models, with an entry for each client; a new one for each load."""

    def __init__(self, loader: SqlMeshLoader, config_path: Path) -> None:
        global _current
        # A relative folder would be one below the code, where it may not be possible to write.
        loader.context.config.cache_dir = str(home().absolute() / ".cache")
        super().__init__(loader, config_path)
        self._entries: FileCache[Model] = FileCache(loader.context.cache_dir, "client_models")
        self._clients = {client: Assignments(text) for client, text in blueprints().items()}
        self._asked_by_macros = names_asked_for(config_path / "macros")
        models = (config_path / "models").rglob("*.*")
        self._by_name = {path.stem: path for path in models if path.suffix in (".sql", ".py")}
        self._files: dict[Path, ModelFile] = {}
        self._models: dict[tuple[Path, str], Model] = {}
        self._incomplete: set[Path] = set()
        self._cache_dir = loader.context.cache_dir
        self._everybody = "\0".join(
            (
                _configuration(loader),
                code_digest(config_path, "audits", "macros"),
                code_digest(project_folder(), "pipelines"),
            )
        )
        _current = self

    def get(self, path: Path) -> list[Model]:
        """Return the models that a file makes of all clients; nothing if one of them is missing.

        SQLMesh asks again once it has made them: a model that is missing then would be dropped.
        """
        if missing := self._missing(path):
            if path in self._incomplete:
                raise ConfigError(
                    f"{path}: no models of {', '.join(missing)} in {self._cache_dir}: the file was"
                    " edited meanwhile, or the disk is full; run the command again"
                )
            self._incomplete.add(path)
            return []
        models = [self._models[path, client] for client in self._asking(path)]
        for model in models:
            model._path = path
        return models or [cast(Model, _Disabled())]

    def put(self, models: list[Model], path: Path) -> bool:
        """Keep the models that a file makes of the clients that were missing.

        Those of a file that was edited since it was digested are not kept.
        """
        is_edited = ModelFile(path).text != self._file(path).text
        for model in map(_as_kept, models):
            client = model.name.split("_")[0]
            if not is_edited:
                self._models[path, client] = model
                self._entries.put(*self._entry(path, client), value=model)
        return True

    def wanted(self, path: Path) -> exp.Tuple:
        """Return the blueprints that a file is to make models of now.

        SQL models that are kept are not made again; Python models, of which SQLMesh keeps none, are.
        """
        clients = self._missing(path) if path.suffix == ".sql" else self._asking(path)
        words = self._words(path)
        return exp.Tuple(expressions=[self._clients[each].blueprint(words) for each in clients])

    def _file(self, path: Path) -> ModelFile:
        if path not in self._files:
            self._files[path] = ModelFile(path)
        return self._files[path]

    def _words(self, path: Path) -> set[str]:
        """Return the words that may be names of variables which a model of a file reads."""
        return self._file(path).words | self._asked_by_macros

    def _asking(self, path: Path) -> list[str]:
        file = self._file(path)
        return [client for client, variables in self._clients.items() if variables.enable(file)]

    def _missing(self, path: Path) -> list[str]:
        return [client for client in self._asking(path) if not self._is_kept(path, client)]

    def _is_kept(self, path: Path, client: str) -> bool:
        if (path, client) not in self._models:
            model = self._entries.get(*self._entry(path, client))
            if model is None:
                return False
            self._models[path, client] = model
        return True

    def _entry(self, path: Path, client: str) -> tuple[str, str]:
        words = self._words(path)
        named = [self._by_name[name] for name in sorted(words & self._by_name.keys())]
        texts = [self._file(each).text for each in (path, *named)]
        made_of = "\0".join((self._everybody, *texts, self._clients[client].text(words)))
        name = f"{client}__{path.parent.name}__{path.stem}"
        return name, hashlib.sha256(made_of.encode()).hexdigest()


_current: ClientModels | None = None


def load_by_client() -> None:
    """Make SQLMesh keep models by client.

    A loader of one's own can only be named in a config.py, which may not lie beside config.yaml: so
    SQLMesh's loader is given another cache, under the name by which it asks for one on each load.
    What is loaded stays until the command ends: looking through it for garbage would be a third of
    the work.
    """
    SqlMeshLoader._Cache = ClientModels  # type: ignore[misc]
    reckon_once()
    # A process forked while DuckDB's threads run may crash; one alone also costs a third less.
    constants.MAX_FORK_WORKERS = 1
    gc.set_threshold(100_000, 50, 50)


def rebuild_what_reads_a_change() -> None:
    """Make SQLMesh take every change of a model's data for a breaking one.

    It takes two for non-breaking: a column that is added, and code of a macro that does not show in
    the query as it is loaded, such as which files `@raw` reads. Then what reads the model would keep
    its old rows, `rows_accounted_for` would not be checked, and later runs of `daily` would write
    tables that `prod` does not show.
    """
    SqlModel.is_breaking_change = lambda *_: None  # type: ignore[method-assign]


def wanted(path: Path) -> exp.Tuple:
    """Return the blueprints that a model file is to make models of now."""
    if _current is None:
        raise RuntimeError("blueprints are read while SQLMesh loads the project, and only then")
    return _current.wanted(path)


def _configuration(loader: SqlMeshLoader) -> str:
    """Return what models are made of in the configuration: all but where this home's files lie."""
    config = loader.config
    gateways = {
        name: gateway.model_copy(update={"connection": None})
        for name, gateway in config.gateways.items()
    }
    anywhere = config.model_copy(update={"gateways": gateways, "cache_dir": None})
    gateway = loader.context.gateway or config.default_gateway_name
    return " ".join((anywhere.fingerprint, loader.context.default_catalog or "", gateway))


def _as_kept(model: Model) -> Model:
    """Return a model as its entry will give it: SQLMesh finds its rendered query by how it is kept.

    Its dependencies take a rendering, so they are kept with it.
    """
    model = pickle.loads(pickle.dumps(model))
    model.full_depends_on  # noqa: B018
    return model
