"""Names, kinds and uses of a site's weights, and what a folder must have to be listed (FLD-6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.files import weights_folder
from core.adapters.files.weights_folder import WeightsFolder
from core.domain.errors import Unavailable
from core.domain.weights import Weights, WeightsKind, is_there, place_of, repository_of

pytestmark = pytest.mark.unit

HUB = Weights(name="timm/r50.a1_in1k", kind=WeightsKind.HUGGINGFACE, path="hub/models--timm--r50.a1_in1k", size_bytes=1)
FILE = Weights(name="w-9ba9bcbe.pth", kind=WeightsKind.CHECKPOINT, path="hub/checkpoints/w-9ba9bcbe.pth", size_bytes=1)


@pytest.mark.parametrize("asked", [
    "timm/r50.a1_in1k", "r50.a1_in1k", "r50", "models--timm--r50.a1_in1k", "w-9ba9bcbe.pth", "w-9ba9bcbe", "w",
    "tf_efficientnet_lite0", "timm/tf_efficientnet_lite0.in1k",
])  # fmt: skip
def test_a_submission_may_name_them_in_short(asked: str) -> None:
    """timm's name without its tag, a checkpoint's without its hash; and what the sandbox image brings."""
    assert is_there(asked, [HUB, FILE])


@pytest.mark.parametrize("asked", ["", "r5", "timm", "R50", "a1_in1k", "w-9ba9bcbe.pt", "timm/r50"])
def test_other_names_are_not_taken_for_them(asked: str) -> None:
    assert not is_there(asked, [HUB, FILE])


@pytest.mark.parametrize(("name", "is_file", "top", "found"), [
    ("x.pth", True, (), "hub/checkpoints/x.pth"), ("x.PT", True, (), "hub/checkpoints/x.PT"),
    ("x.safetensors", True, (), "x.safetensors"), ("models--a--b", False, ("refs",), "hub/models--a--b"),
    ("o_r_main", False, ("hubconf.py",), "hub/o_r_main"),
    ("dsr", False, ("w",), "anomalib/dsr"), ("any", False, (), "any"),
])  # fmt: skip
def test_each_kind_has_its_place(name: str, *, is_file: bool, top: tuple[str, ...], found: str) -> None:
    assert place_of(name, is_file=is_file, top=top)[1] == found


@pytest.mark.parametrize("folder", ["models--", "models--a--b--c", "models----b", "datasets--a--b", "models--../x--b"])
def test_other_folders_are_no_repositories(folder: str) -> None:
    assert repository_of(folder) is None


def test_every_kind_says_how_it_is_used() -> None:
    said = [Weights(name="org/n", kind=kind, path="p", size_bytes=0).use for kind in WeightsKind]
    assert len(set(said)) == len(WeightsKind)
    assert HUB.use == 'timm.create_model("r50.a1_in1k", pretrained=True)'
    assert FILE.place == "/weights/hub/checkpoints/w-9ba9bcbe.pth"


def test_only_what_a_run_can_use_is_listed(tmp_path: Path) -> None:
    """Names that cannot be asked for, links, hidden and empty folders, downloads that broke off: none of them."""
    root = tmp_path / "weights"
    for path in (".incoming/x", "-x", "a b", "hub/models--a--b/refs/main", "hub/checkpoints/c/d", "hub/code/x.py",
                 "anomalib/file", "hub/models--a/b", "good"):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    (root / "hub/models--a--b/snapshots/1").mkdir(parents=True)
    (root / "link").symlink_to("/etc/passwd")
    assert [one.name for one in WeightsFolder(root).list_weights()] == ["good"]


def test_links_in_a_cache_that_an_admin_copied_are_not_followed_out_of_it(tmp_path: Path) -> None:
    """Blobs count once."""
    folder = tmp_path / "hub/models--a--b"
    (folder / "blobs").mkdir(parents=True)
    (folder / "blobs/1").write_bytes(b"12345")
    (folder / "snapshots/r").mkdir(parents=True)
    (folder / "snapshots/r/w").symlink_to("../../blobs/1")
    (folder / "snapshots/r/out").symlink_to("/usr/bin/python3")
    (one,) = WeightsFolder(tmp_path).list_weights()
    assert (one.name, one.size_bytes) == ("a/b", 5)


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(Unavailable, match="folder of weights"):
        WeightsFolder(tmp_path).folder()
    with pytest.raises(Unavailable, match="folder of weights"):
        WeightsFolder(tmp_path).list_weights()


def test_what_is_removed_while_it_is_listed_hides_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    real = weights_folder._visible

    def removing(folder: Path) -> Iterator[Path]:
        for path in real(folder):
            if path.name == "a":
                path.unlink()
            yield path

    monkeypatch.setattr(weights_folder, "_visible", removing)
    assert [one.name for one in WeightsFolder(tmp_path).list_weights()] == ["b"]
