"""Try a proposed export by ingest's own steps, and write the lines that these ask for until it is read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipelines.contracts.ad_platforms import place as place_of
from pipelines.contracts.catalog import CONTRACTS
from pipelines.doctor.figures import figures, in_words
from pipelines.doctor.proposal import Choice, Place, Proposal, Question
from pipelines.ingest.remedies import place_in_file, setting_of
from pipelines.ingest.trial import Extent, Tried, tried
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, checked
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.errors import PlatformError

Answer = tuple[Question, Choice | None]
Ask = Callable[[Question], Answer]  # the question as it was asked, and what was chosen

WHOLE = Extent(files=200)  # each takes a tenth of a second
BEGINNING = Extent(files=20, rows=50_000)
_MOST_FORESEEN = 4  # lines to choose from, as each is tried
_LARGE = 50_000_000  # bytes
_ROUNDS = 25  # lines are not more, of one export
_LETTERS = 160  # of a reason
_APART = ("numbers", "date_format", "unit", "zones")  # what one says, says nothing of the other


class Healed(NamedTuple):
    """What became of a proposed export: what it would bring in, or why ingest refuses it."""

    tried: Tried | None
    problem: str = ""


def heal(
    proposal: Proposal,
    client: str,
    source: str,
    table: str,
    files: Sequence[Path],
    folder: Path,
    ask: Ask,
) -> Healed:
    """Complete an export of a proposal, line by line, until ingest takes it.

    A line that leaves no choice is written, with what ingest says as its reason. Where there is a
    choice, `ask` may decide; else it stays a question, and the first line is assumed for the rest.
    What is large is tried by its beginning first, and then as a whole.
    """
    extent = BEGINNING if _is_large(files) else WHOLE
    foreseeing = ask if _is_large(files) else foreseen(proposal, client, source, table, folder, ask)
    for number in range(_ROUNDS):
        target = folder / str(number)
        target.mkdir(parents=True)
        try:
            settings = _settings(proposal, client)
            done = tried(settings, source, table, target, extent)
            if extent == WHOLE:
                if done.numbers:
                    marks = done.numbers.model_dump(exclude_none=True)
                    place = ("sources", *place_of(source).split("."), table, "numbers")
                    proposal.put(place, marks, "as its values allow no other reading")
                return Healed(done)
            extent = WHOLE
        except ExportError as error:
            if extent == BEGINNING and not any(map(_is_sure, error.remedies)):
                extent = WHOLE  # all of it may say what its beginning leaves open
            elif not _apply(proposal, error, source, table, foreseeing):
                return Healed(None, str(error))
        except (ClientError, PlatformError) as error:
            return Healed(None, str(error))
        rmtree(target)
    return Healed(None, "it asks for ever more lines; write them by hand, by what make ingest says")


def _is_large(files: Sequence[Path]) -> bool:
    return (
        len(files) > (BEGINNING.files or 0) or sum(path.stat().st_size for path in files) > _LARGE
    )


def foreseen(
    proposal: Proposal, client: str, source: str, table: str, folder: Path, ask: Ask
) -> Ask:
    """Return what asks, and says of each line to choose from what would be read by it."""

    def would_be(choice: Choice) -> Choice:
        trial = Proposal()
        trial.add(proposal)
        trial.put(choice.place, choice.value)
        with TemporaryDirectory(dir=folder) as target:
            try:
                settings = _settings(trial, client)
                done = tried(settings, source, table, Path(target), WHOLE)
                said = in_words(figures(settings, table, CONTRACTS[source][table], done))
            except (ExportError, ClientError, PlatformError):
                return choice
        return choice._replace(meaning=f"{choice.meaning}: {said}" if said else choice.meaning)

    def asked(question: Question) -> Answer:
        if len(question.choices) > _MOST_FORESEEN:
            return ask(question)
        choices = [would_be(choice) for choice in question.choices]
        return ask(question._replace(choices=choices))

    return asked


def _settings(proposal: Proposal, client: str) -> Client:
    return checked(client, proposal.text(assumed=True))


def _apply(proposal: Proposal, error: ExportError, source: str, table: str, ask: Ask) -> bool:
    """Write what an error asks for; return whether that can change anything."""
    before = proposal.settings(assumed=True)
    why = _short(error.reason)
    sure = list(filter(_is_sure, error.remedies))
    for remedy in sure:
        for choice in _choices(remedy, source, table):
            proposal.put(choice.place, choice.value, why)
    open_ = [each for each in error.remedies if each.meaning]
    weighty = [each for each in error.remedies if not each.meaning and _is_weighty(each)]
    groups = [[each for each in open_ if each.setting.partition(":")[0] == key] for key in _APART]
    groups.append([each for each in open_ if each.setting.partition(":")[0] not in _APART])
    groups.append([] if sure or open_ else weighty)
    for group in filter(None, groups):
        choices = [choice for each in group for choice in _choices(each, source, table)]
        question = Question(f"{source}.{table}: {why}", choices)
        put_or_ask(proposal, question, ask)
    return proposal.settings(assumed=True) != before


def put_or_ask(proposal: Proposal, question: Question, ask: Ask) -> None:
    """Write the line that is chosen; where nobody chooses, leave the question open."""
    asked, chosen = ask(question)
    if chosen:
        proposal.put(chosen.place, chosen.value, chosen.meaning)
    else:
        proposal.questions.append(asked)


def _is_sure(remedy: Remedy) -> bool:
    """Return whether a line leaves no choice."""
    return not remedy.meaning and not _is_weighty(remedy)


def _is_weighty(remedy: Remedy) -> bool:
    """Return whether a line lets rows go, or needs what is not there: nobody writes that unasked."""
    return remedy.below.partition(".")[0] in ("quality", "sources")


def _choices(remedy: Remedy, source: str, table: str) -> list[Choice]:
    """Return what a line says, each key by its place in the client's file."""
    above: Place = tuple(filter(None, place_in_file(remedy, source, table).split(".")))
    meaning = remedy.meaning or "if that may be"
    return [Choice((*above, key), value, meaning) for key, value in setting_of(remedy).items()]


def _short(reason: str) -> str:
    """Return the first sentence of what ingest says."""
    text = " ".join(reason.split())
    sentence = text.partition(". ")[0]
    return sentence if len(sentence) <= _LETTERS else f"{sentence[: _LETTERS - 1]}…"
