"""Uploads and jobs as ordinary people send them, through the API: what is taken, and in which words it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import MAIN
from tests.sites import Site
from tests.unit.core.reported_images import told

pytestmark = pytest.mark.unit

BOM = b"\xef\xbb\xbf"


def sent(site: Site, files: dict[str, bytes], **fields: str) -> Any:
    parts = [("files", (name, content)) for name, content in ({"main.py": MAIN} | files).items()]
    return site.as_("ada").post("/submissions", files=parts, data=fields)


def posted(site: Site, submission: Any, resource_class: str = "small") -> Any:
    body = {"submission_id": submission.json()["submission_id"], "config": {"resource_class": resource_class}}
    return site.as_("ada").post("/jobs", json=body)


def test_files_of_notepad_are_taken(site: Site) -> None:
    """Field case 15: a byte order mark and Windows' line ends."""
    config = BOM + "name: \u50b7\u691c\u51fa\r\nseed: 7\r\n".encode()
    answer = sent(site, {"main.py": BOM + MAIN.replace(b"\n", b"\r\n"), "config.yaml": config})
    assert (answer.status_code, answer.json()["notes"]) == (201, [])


def test_metadata_as_python_writes_them_are_refused_in_words(site: Site) -> None:
    """Field case 17."""
    answer = sent(site, {}, metadata="{'team': 'B'}")
    assert answer.status_code == 422
    assert "Expecting property name enclosed in double quotes" in answer.json()["errors"][0]["rule"]


def test_a_list_of_conda_is_answered_at_upload(site: Site) -> None:
    """Field case 19: each line, and what to write."""
    lines = b"numpy @ file:///croot/numpy_1707/work\nscipy=1.15=py313_0\nPillow==11.0.0\n"
    answer = sent(site, {"requirements.txt": lines})
    assert answer.status_code == 422
    first, second = answer.json()["errors"]
    assert (first["field"], second["field"]) == ("requirements.txt", "requirements.txt")
    assert "line 1: " in first["rule"]
    assert "write numpy==VERSION, or numpy alone" in first["rule"]
    assert "write scipy==1.15" in second["rule"]


def test_what_the_image_has_runs_in_the_default_class(site: Site) -> None:
    """Field case 21."""
    told(site.ports.runners)
    answer = sent(site, {"requirements.txt": b"torch\nanomalib\nnumpy\npyyaml\n"})
    assert (answer.status_code, answer.json()["notes"]) == (201, [])
    assert posted(site, answer).status_code == 202


def test_what_the_image_lacks_names_the_class_at_upload_and_at_the_job(site: Site) -> None:
    told(site.ports.runners)
    answer = sent(site, {"requirements.txt": b"torch==2.5.1+cu121\n"})
    (note,) = answer.json()["notes"]
    refused = posted(site, answer)
    assert refused.status_code == 422
    for words in (note, refused.json()["detail"]):
        assert "the image has torch 2.15.0" in words
        assert "Use class medium, which installs packages" in words
    assert posted(site, answer, "medium").status_code == 202


@pytest.mark.parametrize(("encoding", "status"), [("utf-8-sig", 202), ("utf-16", 202), ("utf-16-le", 422)])
def test_a_request_from_a_file_of_powershell_is_read(site: Site, encoding: str, status: int) -> None:
    """`curl -d @job.json` after `... > job.json`; without its mark UTF-16 is refused with what to do."""
    body = f'{{"submission_id": "{sent(site, {}).json()["submission_id"]}"}}'
    answer = site.as_("ada").post("/jobs", content=body.encode(encoding), headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert status == 202 or "save it as UTF-8" in answer.json()["detail"]
