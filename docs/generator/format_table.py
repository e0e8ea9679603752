"""Make the table of the ready-made formats: what is downloaded for each, and the lines that read it."""

from docs.generator.markdown import table
from pipelines.settings.ready_made import ReadyMade, formats


def downloads() -> str:
    """Return each ready-made format: its tables, what to download, and its lines in a client's file."""
    rows = [
        (f"`{name}`", _lines(name, form), form.download["en"], form.download.get("de", ""))
        for name, form in formats().items()
    ]
    return table(("format", "lines under `sources:`", "what to download", "in German"), rows)


def _lines(name: str, form: ReadyMade) -> str:
    source, _, of = next(iter(form.tables)).partition(".")
    more = ", ".join(f"`{each.partition('.')[2]}`" for each in [*form.tables][1:])
    lines = f"`{source}: {{{of}: {{files: exports/nova/{source}/*, format: {name}}}}}`"
    return f"{lines}; likewise {more}" if more else lines
