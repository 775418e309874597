"""Hints for programs of an older anomalib (FLD-5); that each advice works is tried in the image, in tests/docker."""

from __future__ import annotations

import pytest

from core.domain.anomalib_hints import ANOMALIB_HINTS, ARGUMENTS, FIELDS, MODULES, NAMES
from core.domain.hints import hint

pytestmark = pytest.mark.unit

AT = "(/opt/venv/lib/python3.13/site-packages/anomalib/data/__init__.py)"
WORDS = {
    f"ImportError: cannot import name 'MVTec' from 'anomalib.data' {AT}": "write 'from anomalib.data import MVTecAD'",
    f"ImportError: cannot import name 'Unheard' from 'anomalib.models' {AT}": "Build it in Python: Engine().fit",
    "ModuleNotFoundError: No module named 'anomalib.data.image'": "'from anomalib.data import MVTecAD, Folder'",
    "ModuleNotFoundError: No module named 'anomalib.utils.callbacks.x'": "'from anomalib.callbacks import",
    "ModuleNotFoundError: No module named 'anomalib.config'": "Build it in Python: Engine().fit",
    "TypeError: Trainer.__init__() got an unexpected keyword argument 'task'": "task= is gone; leave it out",
    "TypeError: Padim.__init__() got an unexpected keyword argument 'input_size'": "configure_pre_processor(",
    "AttributeError: 'ImageBatch' object has no attribute 'pred_scores'\n": "is called pred_score now",
    "KeyError: \"Field 'label' not found in ImageBatch\"": "is called gt_label now",
    "ValueError: Batch fields must be provided for metric <class 'x'>.": "AUROC(fields=",
    "TypeError: Unknown type for dataloaders <class 'anomalib.data.MVTecAD'>": "datamodule=",
    '  File "/a/anomalib/data/datamodules/image/mvtecad.py", line 7, in prepare_data\nURLError': "root='/data'",
}


@pytest.mark.parametrize("text", WORDS)
def test_the_sentence_says_what_to_write(text: str) -> None:
    found = hint(f"Traceback (most recent call last):\n{text}\n")
    assert found is not None
    assert WORDS[text] in found


def test_every_kind_is_tried_here() -> None:
    assert all(any(known.sign.search(text) for text in WORDS) for known in ANOMALIB_HINTS)


def test_every_entry_has_its_sentence() -> None:
    """Of at most 300 characters."""
    texts = {
        **{f"cannot import name '{name}' from 'anomalib.data'": words for name, words in NAMES.items()},
        **{f"No module named '{module}.x'": words for module, words in MODULES.items()},
        **{
            f"TypeError: A.__init__() got an unexpected keyword argument '{n}'": words for n, words in ARGUMENTS.items()
        },
        **{f"Field '{name}' not found in ImageBatch": words for name, words in FIELDS.items()},
    }
    for text, words in texts.items():
        found = str(hint(text))
        assert words in found
        assert len(found) < 300


@pytest.mark.parametrize(
    "text",
    [
        "ImportError: cannot import name 'a' from 'numpy' (/x)",
        "TypeError: Net.__init__() got an unexpected keyword argument 'depth'",
        "AttributeError: 'Batch' object has no attribute 'label'",
        "anomalib.data.image",
    ],
)
def test_what_is_not_anomalibs_has_none(text: str) -> None:
    assert hint(text) is None


def test_repeated_beginnings_take_no_time() -> None:
    for text in ("cannot import name 'a' from 'anomalib" * 10**4, "No module named 'anomalib" + ".a" * 10**5):
        hint(text)
