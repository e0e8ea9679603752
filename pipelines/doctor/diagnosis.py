"""Read a folder of exports and propose the client's file: by ingest's own steps, and with what they find."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipelines.doctor.buyers import add_journeys, with_buyers, with_known
from pipelines.doctor.checking import check, read_elsewhere
from pipelines.doctor.evidence import add_currency, add_zone
from pipelines.doctor.folder import files_in
from pipelines.doctor.healing import Ask
from pipelines.doctor.proposal import Proposal
from pipelines.doctor.reports import Report, Unknown, named, sort_out
from pipelines.doctor.tried_drafts import Finding, drafted, gather, order_of
from pipelines.home import clients_folder, home
from pipelines.settings.bounded_yaml import content_of, load
from pipelines.settings.client import Client
from pipelines.settings.reader import checked, parse


class Diagnosis(NamedTuple):
    """What a folder is: the proposed file, what each report would bring in, and what is not known.

    Of a client that has a file, the proposal has the lines that are missing there.
    """

    proposal: Proposal
    findings: list[Finding]
    unknown: list[Unknown]
    files: int
    looked_into: int
    has_file: bool = False


class NothingThere(Exception):
    """A folder of which nothing can be proposed; the text says why, and what to do."""


def diagnose(client: str, folder: Path, ask: Ask, currency: str = "", zone: str = "") -> Diagnosis:
    """Return what a folder of exports is, and the file that reads it; or what the client's file lacks.

    Raise NothingThere, or ClientError if the client's name or its file cannot be used.
    """
    if not folder.is_dir():
        raise NothingThere(
            f"there is no folder {folder}; put the downloads there, or name another by FOLDER="
        )
    if not (files := files_in(folder)):
        raise NothingThere(f"no file is in {folder}; put the downloads there")
    file = clients_folder() / f"{client}.yaml"
    with TemporaryDirectory() as temporary:
        if file.exists():
            return _checked(parse(file), file, folder, files, Path(temporary), ask)
        return _proposed(client, folder, files, Path(temporary), ask, currency, zone)


def _proposed(
    client: str,
    folder: Path,
    files: list[Path],
    temporary: Path,
    ask: Ask,
    currency: str,
    zone: str,
) -> Diagnosis:
    proposal = begun(client, folder)
    opening = checked(client, proposal.text(assumed=True))
    found = sort_out(opening, files, temporary)
    complete(proposal, found.reports, ask, currency, zone)
    findings = _added(proposal, proposal, client, found.reports, temporary, ask)
    _remark(proposal, client, findings, found.unknown)
    return Diagnosis(proposal, findings, found.unknown, len(files), found.looked_into)


def _remark(
    proposal: Proposal, client: str, findings: list[Finding], unknown: list[Unknown]
) -> None:
    """Say at the head of the file whose it is, and what of the folder it leaves out."""
    proposal.remarks.append(
        f"Proposed by make doctor CLIENT={client}; what it is not sure of is asked."
    )
    proposal.remarks += [
        f"Left out: {each.glob}, {each.problem}" for each in findings if each.problem
    ]
    proposal.remarks += [f"Left out: {named(each.file)}: {each.why}" for each in unknown]


def _checked(
    client: Client, file: Path, folder: Path, files: list[Path], temporary: Path, ask: Ask
) -> Diagnosis:
    filed = Proposal.of(load(content_of(file).decode()))
    findings, missing, read = check(filed, client, temporary, ask)
    left = [path for path in files if path.resolve() not in read]
    found = sort_out(client, left, temporary)
    reports, unread = read_elsewhere(client, found.reports, files)
    findings += _added(missing, filed, client.id, reports, temporary, ask)
    unknown = [*found.unknown, *unread]
    return Diagnosis(missing, findings, unknown, len(files), found.looked_into, has_file=True)


def _added(
    proposal: Proposal, base: Proposal, client: str, reports: list[Report], folder: Path, ask: Ask
) -> list[Finding]:
    """Add the reports to a proposal; return what each would bring in."""
    tried = [drafted(base, client, report, folder, ask) for report in with_buyers(reports)]
    drafts = [its for its in tried if its]
    gather(proposal, drafts, ask)
    known = with_known(each for its in drafts for each in its)
    add_journeys(proposal, known)
    return [each.finding for each in sorted(known, key=lambda each: order_of(each.kind.source))]


def begun(client: str, folder: Path) -> Proposal:
    """Return the beginning of a client's file, by which its exports can be opened."""
    proposal = Proposal()
    proposal.put(("name",), client.capitalize(), "what reports and alerts call the client")
    proposal.put(("currency",), "EUR")
    own = (home() / "exports" / client).resolve()
    if not folder.resolve().is_relative_to(own):
        proposal.put(("folders",), [named(folder)], "its exports lie there")
    proposal.put(("sources",), {})
    return proposal


def complete(proposal: Proposal, reports: list[Report], ask: Ask, currency: str, zone: str) -> None:
    """Write the client's currency and time zone: as they are given, as exports show them, or as `ask` decides."""
    del proposal.lines["currency",], proposal.lines["sources",]
    folders = proposal.lines.pop(("folders",), None)
    if zone:
        proposal.put(("timezone",), zone, "as it was given")
    else:
        add_zone(proposal, reports, ask)
    if currency:
        proposal.put(("currency",), currency, "as it was given")
    else:
        add_currency(proposal, reports, ask)
    if folders:
        proposal.put(("folders",), *folders)
