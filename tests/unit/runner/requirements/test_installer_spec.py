"""The containers of an installation: only the installer knows the index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.limits import MEDIUM, RequirementsLimits
from runner.engine.container_spec import job_options
from runner.requirements.installer_spec import installer_options, proxy_options
from tests.unit.runner.engine.test_container_spec import spec_of
from tests.unit.runner.requirements.installations import INDEX

pytestmark = pytest.mark.unit


def test_only_the_installer_gets_the_indexs_settings_and_no_way_out() -> None:
    """Its network is internal; neither the proxy nor a run knows the address with its password."""
    spec, walls = spec_of(MEDIUM), {"image_id": "i", "seccomp": "s"}
    options = installer_options(spec, INDEX, ("timm",), RequirementsLimits(), ca=Path("/ca.pem"), **walls)
    assert options["environment"]["PIP_INDEX_URL"] == INDEX.urls[0]
    assert (options["network"], options["user"]) == (f"packages-{spec.name}", "59001:59001")
    assert (options["read_only"], options["cap_drop"], options["mem_limit"]) == (
        True,
        ["ALL"],
        options["memswap_limit"],
    )
    run = job_options(replace(spec, dependencies=Path("/d")), slot=1, **walls)
    for others in (proxy_options(spec, INDEX, **walls), run):
        assert "secret" not in str(others)
    assert run["environment"]["PYTHONPATH"] == "/deps"
    (mount,) = [mount for mount in run["mounts"] if mount["Target"] == "/deps"]
    assert mount["ReadOnly"] is True
