"""What a submitter is told of programs that run at home and not here, in the real sandbox with the real messages."""

from __future__ import annotations

import json
import re

import docker
import pytest

from core.domain.anomalib_hints import ARGUMENTS, FIELDS, OLDER
from core.domain.hints import hint
from runner.engine.docker_engine import DockerEngine
from tests.docker.in_the_image import found_by
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.docker

POOL = """
import multiprocessing as mp
mp.set_start_method("spawn", force=True)
def f(x): return x * x
print("top")
with mp.Pool(2) as p:
    print(p.map(f, range(4)))
"""
EXECUTOR = """
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
def f(x): return x * x
with ProcessPoolExecutor(2, mp_context=mp.get_context("spawn")) as pool:
    print(list(pool.map(f, range(4))))
"""
ARGUMENT = "import argparse; p = argparse.ArgumentParser(); p.add_argument('--data', required=True); p.parse_args()"
PROGRAMS = {
    "spawn without a guard": (EXECUTOR, "below if __name__ == '__main__':"),
    "relative import": ("from .utils import X", "write 'from utils import X' instead of 'from .utils import X'"),
    "relative import of a module": ("from . import utils", "write 'import utils'"),
    "exported notebook": ("get_ipython().run_line_magic('matplotlib', 'inline')", "This was a notebook"),
    "notebook's command": ("!pip install anomalib", "This was a notebook"),
    "own arguments": (ARGUMENT, "take both, and require no others"),
    "question": ("input('go on? ')", "Nobody answers"),
    "no GPU": ("import torch; torch.zeros(1).cuda()", "This run has no GPU"),
    "no screen": ("import cv2, numpy; cv2.imshow('a', numpy.zeros((9, 9)))", "no screen in the sandbox"),
    "path of another machine": ("open('./datasets/MVTec/a.png')", "the benchmark's data is in /data"),
    "data set of anomalib": (
        "from anomalib.data import MVTecAD; MVTecAD(category='bottle').prepare_data()",
        "give it root='/data' and a category of the benchmark",
    ),
    "name of anomalib 1": ("from anomalib.data import MVTec", "write 'from anomalib.data import MVTecAD'"),
}


@pytest.mark.parametrize(("program", "words"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_from_home_is_told_what_to_write(runner: TwinRunner[DockerEngine], program: str, words: str) -> None:
    """Field cases 37, 39, 53 and their siblings: beside the reason, and in the last line of the log."""
    job = runner.run(runner.claim(program))
    assert (job.state, job.failure_reason) == ("failed", "exit")
    assert words in str(job.error_message), runner.log_of(job)
    assert words in runner.log_of(job).splitlines()[-1]


def test_a_pool_without_a_guard_is_told_when_its_time_is_up(runner: TwinRunner[DockerEngine]) -> None:
    """Field case 37: as at home it starts its processes for ever; the log has the cause from the first second."""
    runner.limits = runner.limits.model_copy(update={"timeout_seconds": 4})
    runner.log_limits |= {"max_bytes": 10**8, "max_lines": 10**6}
    job = runner.run(runner.claim(POOL))
    assert job.failure_reason == "timeout"
    assert "Hint: The program starts processes that begin by running it again." in str(job.error_message)


OLD = """
from anomalib.data import MVTec
from anomalib.data import MVTecDataset
from anomalib.data import BeanTech
from anomalib.data import TaskType
from anomalib.data import InferenceDataset
from anomalib.data.image.mvtec import MVTec
from anomalib.data.mvtec import MVTec
from anomalib.data.inference import InferenceDataset
from anomalib.data.task_type import TaskType
from anomalib.data.base import AnomalibDataModule
from anomalib.data.utils import get_transforms
from anomalib.data.utils.transforms import get_transforms
from anomalib.models import PatchCore
from anomalib.models import PaDiM
from anomalib.models import EfficientAD
from anomalib.models import FastFlow
from anomalib.models import CFlow
from anomalib.models import STFPM
from anomalib.models import DRAEM
from anomalib.models import GANomaly
from anomalib.models import AnomalyModule
from anomalib.models.components import AnomalyModule
from anomalib.models.components import FeatureExtractor
from anomalib.models.patchcore import Patchcore
from anomalib.models.padim.lightning_model import PadimLightning
from anomalib.config import get_configurable_parameters
from anomalib.utils.callbacks import get_callbacks
from anomalib.utils.loggers import get_experiment_logger
from anomalib.utils.metrics import AUROC
from anomalib.utils.cli import AnomalibCLI
from anomalib.utils.sweep import get_run_config
from anomalib.callbacks.metrics import _MetricsCallback
from anomalib.callbacks.normalization import get_normalization_callback
from anomalib.pre_processing.transforms import Denormalize
from anomalib.post_processing import NormalizationMethod, ThresholdMethod
from anomalib.post_processing import superimpose_anomaly_map
from anomalib.post_processing import ImageResult
from anomalib.post_processing import Visualizer
from anomalib.post_processing.normalization.min_max import normalize
from anomalib.metrics import AnomalyScoreThreshold
from anomalib.metrics import create_metric_collection
from anomalib.deploy import ExportMode
from anomalib.data import MVTecAD; MVTecAD(root="/d", image_size=(256, 256))
from anomalib.data import MVTecAD; MVTecAD(root="/d", task="segmentation")
from anomalib.data import MVTecAD; MVTecAD(root="/d", transform=None)
from anomalib.data import MVTecAD; MVTecAD(root="/d", train_transform=None)
from anomalib.data import MVTecAD; MVTecAD(root="/d", eval_transform=None)
from anomalib.models import Padim; Padim(input_size=(256, 256))
from anomalib.deploy import TorchInferencer; TorchInferencer(config="x", model_source="y")
from lightning.pytorch import Trainer; Trainer(normalization="min_max")
from lightning.pytorch import Trainer; Trainer(threshold="F1AdaptiveThreshold")
from lightning.pytorch import Trainer; Trainer(image_metrics=["AUROC"])
from lightning.pytorch import Trainer; Trainer(pixel_metrics=["AUROC"])
from anomalib.metrics import AUROC; AUROC(task="binary")
""".strip().splitlines()
BATCHES = [
    f"import torch; from anomalib.data import ImageBatch; ImageBatch(image=torch.zeros(1, 3, 9, 9)).{name}"
    for name in FIELDS
]
NEW = """
import anomalib.data, anomalib.models as m; m.Padim.configure_pre_processor(image_size=(256, 256))
from anomalib.metrics import *; Evaluator(test_metrics=[AUROC(fields=["pred_score", "gt_label"], prefix="image_")])
from anomalib.data import MVTecAD; MVTecAD("/d", augmentations=None, train_augmentations=None, test_augmentations=None)
import inspect, anomalib.deploy as d; assert "path" in inspect.signature(d.TorchInferencer).parameters
import torch, anomalib.data as d; b = d.ImageBatch(image=torch.zeros(1, 3, 9, 9)); b.gt_label, b.gt_mask, b.pred_mask
import torch, anomalib.data as d; b = d.ImageBatch(image=torch.zeros(1, 3, 9, 9)); b.pred_score, b.pred_label
import torch, anomalib.data as d; b = d.ImageBatch(image=torch.zeros(1, 3, 9, 9)); b.anomaly_map
""".strip().splitlines()
TRY_EACH = """
import json, sys, warnings
warnings.simplefilter("ignore")
def error_of(line):
    try: exec(line, {})
    except Exception as error: return f"{type(error).__name__}: {error}\\n"
found = {line: error_of(line) for line in json.loads(sys.argv[1])}
print("FOUND" + json.dumps(found))
"""


def tried(inner: docker.DockerClient, image: str, lines: list[str]) -> dict[str, str | None]:
    """What each line raises in the image, each by itself; None where it works."""
    found: dict[str, str | None] = found_by(inner, image, TRY_EACH, json.dumps(lines))
    return found


def test_what_is_said_of_an_older_anomalib_is_true(inner: docker.DockerClient, image: str) -> None:
    """The API of anomalib 1.x: each line fails in the image, its own message has a hint, and what that says works."""
    errors = tried(inner, image, [*OLD, *BATCHES])
    told = {line: hint(str(error)) for line, error in errors.items()}
    assert [line for line, words in told.items() if not words or not words.startswith((OLDER, "A metric of"))] == []
    everything = " ".join(map(str, told.values()))
    assert [name for name in ARGUMENTS if f"{name}= is gone" not in everything] == []
    advised = set(re.findall(r"write '(from [^']+)'", everything))
    assert len(advised) > 20
    assert {line: error for line, error in tried(inner, image, [*advised, *NEW]).items() if error} == {}
