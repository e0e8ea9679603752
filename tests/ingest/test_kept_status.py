"""A status that is torn is refused with its client, source and file, whatever is left of it."""

from pathlib import Path

import pytest

from pipelines.lake.kept_status import kept_status


@pytest.mark.parametrize("torn", [b"", b'{"source": "goo', b"[]", b"{}", b"\xff", b'"ok"'])
def test_a_torn_status_is_named(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "lake/one/google_ads/status.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(torn)

    with pytest.raises(
        ValueError, match=r"^lake/one/google_ads/status[.]json is not readable: .*run"
    ):
        kept_status(file)
