"""An index, a cache, and what was installed."""

from __future__ import annotations

from pathlib import Path

from core.domain.image_packages import ImagePackage, ImagePackages
from runner.requirements.cache import DependencyCache
from runner.requirements.index import Index

INDEX = Index(urls=("https://ann:secret@index.example:8443/simple", "http://other.example/simple"))


WHEEL = [{"name": "timm", "version": "1.0", "sha256": "ab" * 32}]


IMAGE = ImagePackages(
    image_id="sha256:1",
    markers={"python_version": "3.13", "python_full_version": "3.13.1", "sys_platform": "linux", "os_name": "posix"},
    packages=(
        ImagePackage(name="torch", version="2.15.0+cpu"),
        ImagePackage(name="PyYAML", version="6.0.2"),
        ImagePackage(name="numpy", version="2.3.0rc1"),
        ImagePackage(name="opencv-python-headless", version="4.12.0.88"),
        ImagePackage(name="anomalib", version="2.5.0", extra_needs=(
            'torch>=2; extra == "cpu"', 'anomalib[cpu]; extra == "full"', 'openvino; extra == "full"',
        )),
    ),
)  # fmt: skip


def cache(root: Path, kept_bytes: int = 10**9) -> DependencyCache:
    return DependencyCache(job_root=root, kept_bytes=kept_bytes)
