"""Programs as people bring them from home, in the real sandbox: they write beside themselves, import, compile."""

from __future__ import annotations

import docker
import pytest

from core.domain.limits import MIB
from runner.engine.docker_engine import DockerEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

WRITES = """
import os, pathlib
beside = pathlib.Path(__file__).resolve().parent
(beside / "cache").mkdir()
open(beside / "log.txt", "w").write("x")
open("log2.txt", "w").write("x")
os.makedirs("results/Padim")
open(__file__, "a").write("# changed")
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.savefig("curve.png")
"""
FILLS = """
with open("big.bin", "wb") as file:
    while True: file.write(b"x" * 2**20)
"""
COMPILES = """
import torch
compiled = torch.compile(lambda x: (x * 2).sin() + 1)
print("sum", float(compiled(torch.ones(8)).sum()))
"""
HOMES = """
import getpass, os, pathlib, pwd, warnings
warnings.simplefilter("error")
for name in ("HOME", "HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "TRITON_CACHE_DIR",
             "TORCHINDUCTOR_CACHE_DIR", "TMPDIR"):
    folder = pathlib.Path(os.environ[name]); folder.mkdir(parents=True, exist_ok=True)
    (folder / "probe").write_text("x")
(pathlib.Path.home() / ".cache/x").mkdir(parents=True)
assert getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name == "sandbox"
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.title("傷の検出 缺陷检测 결함 검출"); plt.savefig("/out/curves.png")
"""
WEIGHTS = """
import timm, torch
from anomalib.models import Padim
Padim(backbone="tf_efficientnet_lite0", layers=["blocks.1", "blocks.2"], n_features=20)
model = timm.create_model("tf_efficientnet_lite0", pretrained=True).eval()
print("classes", model(torch.zeros(1, 3, 224, 224)).shape[1])
"""


MET = {
    "open('/data/x', 'w')": "Only the working directory /job, /out and /tmp can be written",
    "import urllib.request; urllib.request.urlopen('http://example.org')": "no network in the sandbox, by design",
    "import wandb": "no module 'wandb'",
    "from anomalib.models import Padim; Padim()": "tf_efficientnet_lite0, whose weights the image has",
}


@pytest.mark.parametrize("program", MET)
def test_a_wall_that_was_met_is_named_beside_the_reason(runner: TwinRunner[DockerEngine], program: str) -> None:
    """FLD-5: in the status, and in the last line of the log."""
    job = runner.run(runner.claim(program))
    assert (job.state, job.failure_reason) == ("failed", "exit")
    assert "Hint: " in str(job.error_message)
    assert MET[program] in str(job.error_message)
    assert MET[program] in runner.log_of(job).splitlines()[-1]


@pytest.mark.parametrize(
    "program", [WRITES, HOMES, WEIGHTS], ids=["beside the script", "homes, names and glyphs", "weights of the image"]
)
def test_a_program_from_home_runs(runner: TwinRunner[DockerEngine], program: str) -> None:
    """FLD-5, FLD-6; the stored submission stays as it was."""
    claim = runner.claim(program + GOOD)
    main = runner.storage.submission_files(claim.job.submission_id) / "main.py"
    before = main.read_bytes()
    job = runner.run(claim)
    assert job.state == "completed", runner.log_of(job)
    assert "Duplicate key" not in runner.log_of(job)  # what matplotlib says of defaults that are there twice
    assert (main.read_bytes(), [path.name for path in main.parent.iterdir() if path.name == "cache"]) == (before, [])


def test_a_compiled_model_runs(runner: TwinRunner[DockerEngine]) -> None:
    """FLD-5: the compiler, Python's headers, and a place from which what was built can be loaded."""
    runner.limits = runner.limits.model_copy(update={"timeout_seconds": 600})
    job = runner.run(runner.claim(COMPILES + GOOD))
    assert job.state == "completed", runner.log_of(job)
    assert "sum " in runner.log_of(job)


def test_a_full_working_folder_is_told_in_words(runner: TwinRunner[DockerEngine]) -> None:
    """It is bounded like the rest, and the end of the log says what was full."""
    runner.limits = runner.limits.model_copy(update={"job_bytes": 8 * MIB})
    job = runner.run(runner.claim(FILLS))
    assert (job.state, job.failure_reason) == ("failed", "exit")
    assert "No space left on device" in runner.log_of(job)
    assert "Hint: A folder was full: /job" in str(job.error_message)


def test_a_submission_larger_than_its_folder_is_told_in_words(runner: TwinRunner[DockerEngine]) -> None:
    """Nothing of it runs."""
    runner.limits = runner.limits.model_copy(update={"job_bytes": MIB})
    job = runner.run(runner.claim("print('ran')\n#" + "x" * 2 * MIB))
    assert (job.state, job.failure_reason) == ("failed", "exit")
    assert "The files of the submission did not fit into /job (1048576 bytes, 100000 files)" in runner.log_of(job)
    assert "ran" not in runner.log_of(job).splitlines()


def test_modules_of_the_root_come_after_all_others(inner: docker.DockerClient, image: str) -> None:
    """FLD-5: found by a script in a subfolder; a file of the root replaces no package, nor part of Python."""
    script = (
        "mkdir -p src models && echo 'x = 1' > src/x.py && echo 'y = 2' > models/__init__.py"
        " && echo 1/0 > types.py && echo 1/0 > numpy.py"
        " && echo 'import models, src.x, types, numpy; print(models.y + src.x.x)' > src/train.py"
        ' && test "$(python src/train.py)" = 3'
    )
    inner.containers.run(
        image, ["sh", "-euc", script], entrypoint=[], working_dir="/job", network_mode="none", remove=True,
        user="60007",
        tmpfs={"/job": "rw,uid=60007"},
    )  # fmt: skip  # raises where the program fails
