"""`leadersboard-canary`: probe the walls of this runner's sandbox now, print every row, exit 1 when one is red."""

from __future__ import annotations

import sys

from core.adapters.files.weights_folder import WeightsFolder
from core.domain.canary import CanaryReport
from core.settings import Settings
from runner.canary.probe import Canary
from runner.engine.advisories import old_parts, versions_line
from runner.engine.capacity import fitted
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from runner.gpus import Gpus
from runner.lease.living_processes import LivingProcesses

SITE = "by-hand"


def main() -> None:
    settings = Settings()
    means = EngineMeans(runtime=settings.sandbox_runtime, gpu_access=settings.gpu_access)
    engine = DockerEngine(
        settings.engine_socket, site=SITE, image=settings.sandbox_image,
        seccomp=settings.seccomp_profile.read_text(), means=means,
    )  # fmt: skip
    try:
        host = engine.host_id()
        processes = LivingProcesses(job_root=settings.job_root, host=host)
        with processes.living() as mark:  # if this is killed, a runner of this host removes what it left
            report = Canary(
                engine=engine, resource_classes=fitted(settings, engine), image=settings.sandbox_image, site=SITE,
                folder=settings.job_root / ".canary", runtime=settings.sandbox_runtime, process=mark,
                weights=WeightsFolder(settings.weights_root),
                gpus=Gpus.of(settings, engine, host=host),
            )()  # fmt: skip
        versions = engine.versions()
    finally:
        engine.close()
    sys.stdout.write(table(report))
    sys.stdout.writelines(
        f"{line}\n" for line in (versions_line(versions), *(one.sentence for one in old_parts(versions)))
    )
    sys.exit(0 if report.ok else 1)


def table(report: CanaryReport) -> str:
    """Plain text with red rows last, so that a terminal shows them."""
    rows = sorted(report.rows, key=lambda row: not row.ok)
    lines = [f"{'ok ' if row.ok else 'RED'}  {row}" for row in rows]
    verdict = "All walls hold." if report.ok else f"{len(report.red)} of {len(rows)} do not hold: no job may run here."
    return "\n".join([*lines, f"{verdict} ({report.seconds:.1f} s)", ""])


if __name__ == "__main__":
    main()
