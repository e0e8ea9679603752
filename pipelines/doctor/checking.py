"""Check a client's file against its exports: what ingest would refuse, and what nobody reads."""

from pathlib import Path

from pipelines.doctor.folder import glob_of
from pipelines.doctor.healing import Ask, heal
from pipelines.doctor.proposal import Proposal
from pipelines.doctor.reports import Report, Unknown, named
from pipelines.doctor.tried_drafts import Finding, shown_as
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError
from pipelines.sources.files import places


def exports_of(client: Client) -> dict[tuple[str, str], Export]:
    """Return the exports of a client that are files here, by source and table."""
    return {
        (source, table): feed
        for source, table, feed in client.sources.feeds()
        if isinstance(feed, Export) and feed.files and not feed.in_bucket
    }


def files_of(client: Client, export: Export) -> list[Path]:
    """Return the files that an export reads. Raise ExportError if one is not the client's."""
    return places.found(client, export.pattern)


def check(
    filed: Proposal, client: Client, folder: Path, ask: Ask
) -> tuple[list[Finding], Proposal, set[Path]]:
    """Return what each export would bring in, the lines that it lacks, and which files are read."""
    findings, missing, read = [], Proposal(), set[Path]()
    for (source, table), export in exports_of(client).items():
        name = f"{source}.{table}"
        finding = Finding(name, [], export.pattern, "the client's file says so")
        try:
            files = files_of(client, export)
        except ExportError as error:
            findings.append(finding._replace(problem=str(error)))
            continue
        read.update(path.resolve() for path in files)
        finding = finding._replace(files=files)
        lines = Proposal()
        lines.add(filed)
        healed = heal(lines, client.id, source, table, files, folder / name, ask)
        missing.add(lines.without(filed))
        findings.append(shown_as(finding, lines, client.id, source, table, healed))
    return findings, missing, read


def read_elsewhere(
    client: Client, reports: list[Report], files: list[Path]
) -> tuple[list[Report], list[Unknown]]:
    """Return the reports of which the client's file has no table yet, and what is to be done of the others."""
    exports, new, unread = exports_of(client), list[Report](), list[Unknown]()
    for report in reports:
        kind = report.kinds[0]
        if (kind.source, kind.table) not in exports:
            new.append(report)
            continue
        export = exports[kind.source, kind.table]
        its = [*files_of(client, export), *report.files]
        others = [path for path in files if path not in set(its)]
        glob = glob_of([Path(named(each)) for each in its], [Path(named(each)) for each in others])
        widened = f'; write files: "{glob}" to read it, too' if glob else ""
        why = f"nobody reads it: {kind.name} is read from {export.pattern}{widened}"
        unread.append(Unknown(report.files[0], why, len(report.files)))
    return new, unread
