"""The names that a site's ledger has had."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.recovery.site_names import SiteNames

pytestmark = pytest.mark.unit


def test_a_site_remembers_the_names_of_its_ledger(tmp_path: Path) -> None:
    """Each once; what is no name of one is none."""
    names = SiteNames(job_root=tmp_path)
    assert names.all() == ()
    for name in ("0123abcd", "fedc9876", "0123abcd", "../evil", ""):
        names.add(name)
    assert sorted(names.all()) == ["0123abcd", "fedc9876"]
    (tmp_path / ".sites" / ".hidden").touch()
    assert sorted(SiteNames(job_root=tmp_path).all()) == ["0123abcd", "fedc9876"]
