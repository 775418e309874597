"""GET /weights, and what an upload asks for of them."""

from __future__ import annotations

import pytest

from core.domain.errors import Unavailable
from core.domain.weights import Weights, WeightsKind
from tests.builders import MAIN
from tests.sites import Site
from tests.twins.weights import MemoryWeights

pytestmark = pytest.mark.unit


def held(site: Site, name: str = "timm/r18.a1_in1k") -> None:
    assert isinstance(site.ports.weights, MemoryWeights)
    path = f"hub/models--{name.replace('/', '--')}"
    site.ports.weights.held.append(Weights(name=name, kind=WeightsKind.HUGGINGFACE, path=path, size_bytes=46_000_000))


def test_every_user_sees_what_there_is_and_how_it_is_used(site: Site) -> None:
    assert site.as_("ada").get("/weights").json() == {"items": []}
    held(site)
    assert site.as_("bob").get("/weights").json() == {
        "items": [
            {
                "name": "timm/r18.a1_in1k",
                "kind": "huggingface",
                "size_bytes": 46_000_000,
                "place": "/weights/hub/models--timm--r18.a1_in1k",
                "use": 'timm.create_model("r18.a1_in1k", pretrained=True)',
            }
        ]
    }


def test_a_folder_that_does_not_answer_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: object) -> None:
        raise Unavailable("The folder of weights", "Stale file handle")

    monkeypatch.setattr(MemoryWeights, "list_weights", away)
    answer = site.as_("ada").get("/weights")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "The folder of weights does not answer" in answer.json()["detail"]


def test_an_upload_that_asks_for_what_is_missing_is_refused_at_once(site: Site) -> None:
    """In its config file and in its metadata, each with the place."""
    held(site)
    files = [("files", ("main.py", MAIN)), ("files", ("config.yaml", b"weights: [r18, wide_resnet50_2]\n"))]
    answer = site.as_("ada").post("/submissions", files=files, data={"metadata": '{"weights": ["dinov2"]}'})
    assert answer.status_code == 422
    told = {fault["field"]: fault["rule"] for fault in answer.json()["errors"]}
    assert "asks for 'wide_resnet50_2', which this site does not have. It has timm/r18.a1_in1k" in told["config_file"]
    assert "asks for 'dinov2'" in told["metadata"]
    assert "Ask its admin" in told["metadata"]
    assert site.stored() == []
    files[1] = ("files", ("config.yaml", b"weights: [r18]\n"))
    assert site.as_("ada").post("/submissions", files=files).status_code == 201
