"""Load each client's models once: keep them until what they are made of changes.

SQLMesh keeps the models that a file makes of all blueprints in one entry of its cache, as long as no
file of the project is newer. It sees neither `$ATTRIBUTION_HOME/clients/` nor what a client's models
have learnt. Here an entry holds the model that one file makes of one client, and its name is a
digest of all that this model is made of: the file and the models' files that it names, those
variables of the client whose names are in it, macros and audits, the configuration. So an edit of one client's file loads the models again
that read what was edited, a comment loads none, and two homes, users or versions of the code never
share an entry.
"""

import gc
import hashlib
import pickle
import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sqlglot import exp, parse_one
from sqlmesh.core.loader import SqlMeshLoader
from sqlmesh.core.model import Model
from sqlmesh.utils.cache import FileCache

from pipelines.blueprints.blueprint import blueprints
from pipelines.code import code_digest
from pipelines.home import project_folder


class _Disabled(NamedTuple):
    """Stands for a file that makes no client a model: SQLMesh skips what is not enabled."""

    fqn: str = ""
    enabled: bool = False


class _ModelFile:
    """A model's file: its text, the words in it, and the variable that enables it."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")

    @cached_property
    def words(self) -> set[str]:
        return set(re.findall(r"\w+", self.text))

    @cached_property
    def switch(self) -> str | None:
        """Return `has_rates` of a file with `enabled @has_rates`."""
        found = re.search(r"^ +enabled\W+@(\w+)", self.text, re.MULTILINE)
        return found[1] if found else None


class _Client:
    """One client's blueprint: its variables as SQLMesh reads them, `currency := 'EUR'`."""

    def __init__(self, blueprint: str) -> None:
        assignments = parse_one(blueprint, read="duckdb").expressions
        self._variables = {each.left.name: each for each in assignments}
        self._texts = {name: each.sql("duckdb") for name, each in self._variables.items()}

    def asks_for(self, file: _ModelFile) -> bool:
        """Return whether the file makes this client a model."""
        switch = self._variables.get(file.switch or "")
        return switch is None or switch.right != exp.false()

    def text(self, words: set[str]) -> str:
        """Return the variables that are among some words."""
        return ", ".join(text for name, text in self._texts.items() if name in words)

    def blueprint(self, words: set[str]) -> exp.Tuple:
        """Return the variables that are among some words, as SQLMesh reads them."""
        return exp.Tuple(
            expressions=[each.copy() for name, each in self._variables.items() if name in words]
        )


class ClientModels(SqlMeshLoader._Cache):
    """SQLMesh's cache of loaded models, with an entry for each client; a new one for each load."""

    def __init__(self, loader: SqlMeshLoader, config_path: Path) -> None:
        global _current
        super().__init__(loader, config_path)
        self._entries: FileCache[Model] = FileCache(loader.context.cache_dir, "client_models")
        self._clients = {client: _Client(text) for client, text in blueprints().items()}
        self._everybody = "\0".join(
            (
                loader.config.fingerprint,
                loader.context.default_catalog or "",
                loader.context.gateway or loader.config.default_gateway_name,
                code_digest(config_path, "audits", "macros"),
                code_digest(project_folder(), "pipelines"),
            )
        )
        self._asked_by_macros = _names_asked_for(config_path / "macros")
        models = (config_path / "models").rglob("*.*")
        self._by_name = {path.stem: path for path in models if path.suffix in (".sql", ".py")}
        self._files: dict[Path, _ModelFile] = {}
        self._models: dict[tuple[Path, str], Model] = {}
        _current = self

    def get(self, path: Path) -> list[Model]:
        """Return the models that a file makes of all clients; nothing if one of them is missing."""
        if self._missing(path):
            return []
        models = [self._models[path, client] for client in self._asking(path)]
        for model in models:
            model._path = path
        return models or [_Disabled()]  # type: ignore[list-item]

    def put(self, models: list[Model], path: Path) -> bool:
        """Keep the models that a file makes of the clients that were missing."""
        for model in map(_as_kept, models):
            client = model.name.split("_")[0]
            self._entries.put(*self._entry(path, client), value=model)
            self._models[path, client] = model
        return True

    def wanted(self, path: Path) -> exp.Tuple:
        """Return the blueprints that a file is to make models of now.

        SQL models that are kept are not made again; Python models, of which SQLMesh keeps none, are.
        """
        clients = self._missing(path) if path.suffix == ".sql" else self._asking(path)
        words = self._words(path)
        return exp.Tuple(expressions=[self._clients[each].blueprint(words) for each in clients])

    def _file(self, path: Path) -> _ModelFile:
        if path not in self._files:
            self._files[path] = _ModelFile(path)
        return self._files[path]

    def _words(self, path: Path) -> set[str]:
        """Return the words that may be names of variables which a model of a file reads."""
        return self._file(path).words | self._asked_by_macros

    def _asking(self, path: Path) -> list[str]:
        file = self._file(path)
        return [name for name, client in self._clients.items() if client.asks_for(file)]

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
        variables = self._clients[client].text(words)
        named = (
            self._file(self._by_name[name]).text for name in sorted(words & self._by_name.keys())
        )
        made_of = "\0".join((self._everybody, self._file(path).text, *named, variables))
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
    gc.set_threshold(100_000, 50, 50)


def wanted(path: Path) -> exp.Tuple:
    """Return the blueprints that a model file is to make models of now."""
    if _current is None:
        raise RuntimeError("blueprints are read while SQLMesh loads the project, and only then")
    return _current.wanted(path)


def _names_asked_for(macros: Path) -> set[str]:
    """Return the names in `evaluator.blueprint_var("currency")`: all that macros have in quotes."""
    texts = (file.read_text(encoding="utf-8") for file in macros.glob("*.py"))
    return {name for text in texts for name in re.findall(r"""["'](\w+)["']""", text)}


def _as_kept(model: Model) -> Model:
    """Return a model as its entry will give it: SQLMesh finds its rendered query by how it is kept.

    Its dependencies take a rendering, so they are kept with it.
    """
    model = pickle.loads(pickle.dumps(model))
    model.full_depends_on  # noqa: B018
    return model
