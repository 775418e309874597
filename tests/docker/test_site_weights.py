"""Weights that an admin added, found in the real sandbox by the libraries that people use, without network (FLD-6)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import docker
import pytest

from core.adapters.files.weights_folder import WeightsFolder
from core.adapters.files.weights_intake import take
from core.domain.limits import MIB, SMALL
from runner.canary.probe import Canary
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

MAKES = """
import timm, torch, torchvision
from safetensors.torch import save_file
found = timm.create_model("resnet18").state_dict()
save_file({name: value.contiguous() for name, value in found.items()}, "/made/model.safetensors")
torch.save(torchvision.models.resnet18().state_dict(), "/made/resnet18-f37072fd.pth")
from anomalib.models import EfficientAd
torch.save(EfficientAd().model.teacher.state_dict(), "/made/pretrained_teacher_small.pth")
"""
FINDS = """
import os, pathlib, timm, torch, torchvision
first = next(timm.create_model("resnet18", pretrained=True).parameters())
from safetensors.torch import load_file
held = load_file("/weights/hub/models--timm--resnet18.a1_in1k/snapshots/" + next(os.walk(
    "/weights/hub/models--timm--resnet18.a1_in1k/snapshots"))[1][0] + "/model.safetensors")
assert torch.equal(first.detach(), held["conv1.weight"])
timm.create_model("tf_efficientnet_lite0", pretrained=True)
from anomalib.models import EfficientAd, Padim
Padim()
EfficientAd().prepare_pretrained_model()
torchvision.models.resnet18(weights="DEFAULT")
torch.hub.load_state_dict_from_url("https://example.org/any/resnet18-f37072fd.pth")
assert torch.hub.load("someone/nets", "tiny")() == 7
assert torch.hub.load("/weights/hub/someone_nets_main", "tiny", source="local")() == 7
assert pathlib.Path("/weights/notes.bin").read_bytes() == b"plain"
for name, path in (("TORCH_HOME", "hub/checkpoints/own.pth"), ("TORCH_HOME", "hub/own/x"),
                   ("HF_HOME", "hub/models--own--net/refs/main"), ("XDG_CACHE_HOME", "anomalib/pre_trained/own")):
    own = pathlib.Path(os.environ[name], path); own.parent.mkdir(parents=True, exist_ok=True); own.write_text("x")
for path in ("/weights/x", "/weights/hub/x", os.environ["TORCH_HOME"] + "/hub/checkpoints/resnet18-f37072fd.pth"):
    try: open(path, "a")
    except OSError as error: assert error.errno in {13, 30}, error
    else: raise AssertionError(path)
try: os.listdir("/weights/.incoming")
except PermissionError: print("all found")
"""


def packed(name: str, files: dict[str, bytes]) -> io.BytesIO:
    """A tar of these files below `name`; of one file called "" it is the file itself."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(f"{name}/{path}" if path else name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    out.seek(0)
    return out


@pytest.fixture
def weights(runner: TwinRunner[DockerEngine], inner: docker.DockerClient, image: str) -> Path:
    """A site's folder with random weights of each kind, added as an admin adds them."""
    made, root = runner.root / "made", runner.root / "weights"
    for folder in (made, root):
        folder.mkdir()
    made.chmod(0o777)
    (runner.root / "make.py").write_text(MAKES)
    inner.containers.run(
        image, ["python", "/make.py"], entrypoint=[], network_mode="none", remove=True, user="0:0",
        volumes=[f"{runner.root}/make.py:/make.py:ro", f"{made}:/made"],
    )  # fmt: skip
    tensors = (made / "model.safetensors").read_bytes()
    checkpoint = (made / "resnet18-f37072fd.pth").read_bytes()
    teacher = {"pretrained_teacher_small.pth": (made / "pretrained_teacher_small.pth").read_bytes()}
    nets = {"hubconf.py": b"def tiny():\n    return lambda: 7\n"}
    for name, files, repository in (
        ("model.safetensors", {"": tensors}, "timm/resnet18.a1_in1k"),
        ("resnet18-f37072fd.pth", {"": checkpoint}, ""),
        ("someone_nets_main", nets, ""),
        ("efficientad_pretrained_weights", teacher, ""),
        ("notes.bin", {"": b"plain"}, ""),
    ):
        take(root, packed(name, files), name=name, size=60 * MIB, repository=repository)
    return root


def test_what_an_admin_added_is_found_by_every_library(runner: TwinRunner[DockerEngine], weights: Path) -> None:
    """Field case 45 among them: `Padim()` as it is. The image's own is found, too; the caches can be written."""
    job = runner.run(runner.claim(FINDS + GOOD))
    assert job.state == "completed", runner.log_of(job)
    assert "all found" in runner.log_of(job)


@pytest.mark.parametrize("state", ["missing", "empty", "others alone"])
def test_a_site_without_weights_runs_as_before(runner: TwinRunner[DockerEngine], state: str) -> None:
    """The image's weights are found in every case; where there is nothing to mount, nothing is."""
    if state != "missing":
        (runner.root / "weights").mkdir()
    if state == "others alone":
        (runner.root / "weights/readme.txt").write_text("x")
    there = "import os; assert os.path.exists('/weights') is " + str(state == "others alone")
    finds = "; assert os.path.exists(os.environ['HF_HOME'] + '/hub/models--timm--tf_efficientnet_lite0.in1k/refs/main')"
    job = runner.run(runner.claim(there + finds + "\n" + GOOD))
    assert job.state == "completed", runner.log_of(job)


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_the_walls_hold_with_them(
    runner: TwinRunner[DockerEngine], weights: Path, inner: docker.DockerClient, image: str, runtime: str
) -> None:
    """The canary finds them mounted as the rest, and read-only; under gVisor, too."""
    if runtime not in inner.info()["Runtimes"]:
        pytest.skip("the engine has no gVisor (runsc): scripts/setup builds one that does")
    engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=runner.site, image=image, seccomp=SECCOMP,
        means=EngineMeans(runtime=runtime),
    )  # fmt: skip
    probe = Canary(
        engine=engine, resource_classes=[SMALL], image=image, site=runner.site, folder=runner.root / ".canary",
        runtime=runtime, weights=WeightsFolder(weights),
    )  # fmt: skip
    rows = {row.check: row for row in probe().rows if row.resource_class == SMALL.name}
    engine.close()
    assert all(rows[check].ok for check in ("mounts", "read-only", "devices", "environment")), list(rows.values())
    assert "/weights" in rows["read-only"].found
