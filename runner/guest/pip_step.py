"""Installs wheels into /out/tree and lists them in /out/record.json; nothing of a package is ever run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

OUT = Path("/out")
ONLY_WHEELS = "--only-binary=:all:"


def main() -> int:
    """Resolves versions against what the image has, then installs exactly the files found, by their hashes."""
    scratch = OUT / "tmp"
    scratch.mkdir()
    (OUT / "tree").mkdir()
    wanted = scratch / "wanted.txt"
    wanted.write_text("\n".join(sys.argv[1:]) + "\n")
    report = scratch / "report.json"
    code = _pip("--dry-run", ONLY_WHEELS, "--report", str(report), "--requirement", str(wanted))
    if code:
        return code
    found = [_package(item) for item in json.loads(report.read_text())["install"]]
    pinned = scratch / "pinned.txt"
    pinned.write_text("".join(f"{one['name']}=={one['version']} --hash=sha256:{one['sha256']}\n" for one in found))
    into = str(OUT / "tree")
    if found:
        code = _pip(ONLY_WHEELS, "--no-deps", "--no-compile", "--require-hashes", "--target", into, "-r", str(pinned))
    (OUT / "record.json").write_text(json.dumps(found))
    shutil.rmtree(scratch)
    return code


def _pip(*arguments: str) -> int:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--progress-bar=off", *arguments]
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode  # noqa: S603 pip's own options


def _package(item: dict[str, dict[str, dict[str, dict[str, str]]]]) -> dict[str, str]:
    about: dict[str, str] = item["metadata"]  # type: ignore[assignment]
    return {
        "name": about["name"],
        "version": about["version"],
        "sha256": item["download_info"]["archive_info"]["hashes"]["sha256"],
    }


if __name__ == "__main__":
    sys.exit(main())
