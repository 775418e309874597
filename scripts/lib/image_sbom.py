"""A CycloneDX 1.6 bill of materials of one image, from the image's file system as a tar stream on standard input.

docker export CONTAINER | .venv/bin/python scripts/lib/image_sbom.py --name leadersboard-ui --version 0.1.0 --image ID \
    --lock locks/ui.txt > build/sbom/ui.cdx.json
Debian packages come from dpkg's status, Python packages from the metadata that pip wrote. Nothing of the image is run.
The same image gives the same bytes. No address of an index or a mirror is read, so none is in the output.
"""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import IO

from cyclonedx.contrib.license.exceptions import InvalidLicenseExpressionException
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

STATUS = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
METADATA = re.compile(r"(?:.*/)?site-packages/[^/]+\.dist-info/METADATA")
OS_RELEASE = re.compile(r"(?:usr/lib|etc)/os-release")
MOST_BYTES = 4 * 1024 * 1024
"""Of one file; dpkg's status of an image of ours has a tenth of it."""
LONGEST_LICENSE = 100
MOST_LICENSES = 20
NAMESPACE = uuid.UUID("6f1f3c8e-52a4-4d0c-9d3b-6a7d4e1c2b90")
SPDX = LicenseFactory()


@dataclass(kw_only=True)
class Found:
    """What an image's file system says of its packages."""

    debian: list[Message] = field(default_factory=list)
    python: dict[tuple[str, str], Message] = field(default_factory=dict)
    copyrights: dict[str, str] = field(default_factory=dict)
    release: dict[str, str] = field(default_factory=dict)


def found_in(stream: IO[bytes]) -> Found:
    """Raises ValueError for a file that is too large to be what it should be."""
    found = Found()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if member.isfile() and (kind := _kind(path)):
                _take(found, kind, path, _text(archive, member))
    return found


def _kind(path: str) -> re.Pattern[str] | None:
    return next((kind for kind in (STATUS, COPYRIGHT, METADATA, OS_RELEASE) if kind.fullmatch(path)), None)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    if member.size > MOST_BYTES:
        raise ValueError(f"{member.name} has {member.size} bytes")
    content = archive.extractfile(member)
    return content.read().decode("utf-8", "replace") if content else ""


def _take(found: Found, kind: re.Pattern[str], path: str, text: str) -> None:
    if kind is STATUS:
        blocks = [HeaderParser().parsestr(block) for block in re.split(r"\n\n+", text) if block.strip()]
        found.debian += [block for block in blocks if block["Status"] in {None, "install ok installed"}]
    elif kind is METADATA:
        package = HeaderParser().parsestr(text)
        found.python[_normal(package["Name"]), package["Version"]] = package
    elif kind is COPYRIGHT:
        found.copyrights[path.split("/")[3]] = text
    else:
        found.release |= {
            name: value.strip('"') for name, _equals, value in (line.partition("=") for line in text.splitlines())
        }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes_of(lock: Iterable[str]) -> Mapping[tuple[str, str], list[str]]:
    """SHA-256 of every published file of each package of a lock, one of which was installed."""
    found: dict[tuple[str, str], list[str]] = {}
    at: list[str] = []
    for line in lock:
        if pinned := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", line):
            at = found.setdefault((_normal(pinned[1]), pinned[2]), [])
        at += re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
    return found


def python_components(found: Found, hashes: Mapping[tuple[str, str], list[str]]) -> Iterator[Component]:
    for (name, version), package in sorted(found.python.items()):
        purl = PackageURL(type="pypi", name=name, version=version)
        yield Component(
            type=ComponentType.LIBRARY,
            name=package["Name"],
            version=version,
            purl=purl,
            bom_ref=str(purl),
            description=_line(package["Summary"]),
            licenses=_python_licenses(package),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes.get((name, version), [])],
        )


def _python_licenses(package: Message) -> list[License]:
    if expression := package["License-Expression"]:
        try:
            return [SPDX.make_with_expression(expression)]
        except InvalidLicenseExpressionException:
            return _named([expression])
    classifiers = [
        text.split(" :: ")[-1] for text in package.get_all("Classifier", []) if text.startswith("License ::")
    ]
    text = package["License"] or ""
    return _named([text] if text and "\n" not in text and len(text) <= LONGEST_LICENSE else classifiers)


def debian_components(found: Found) -> Iterator[Component]:
    vendor = found.release.get("ID", "debian")
    distro = f"{vendor}-{found.release.get('VERSION_ID', '')}".rstrip("-")
    for package in sorted(found.debian, key=lambda one: (one["Package"], one["Architecture"])):
        name, version = package["Package"], package["Version"]
        qualifiers = {"arch": package["Architecture"], "distro": distro}
        purl = PackageURL(type="deb", namespace=vendor, name=name, version=version, qualifiers=qualifiers)
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            purl=purl,
            bom_ref=str(purl),
            description=_line((package["Description"] or "").splitlines()[0] if package["Description"] else None),
            licenses=_named(_debian_licenses(found.copyrights.get(name, ""))),
            properties=[Property(name="debian:source", value=package["Source"] or name)],
        )


def _debian_licenses(text: str) -> list[str]:
    """The short names of a machine-readable copyright file; of others nothing is guessed."""
    if not text.startswith("Format:"):
        return []
    return sorted({one.strip() for one in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)})


def _named(names: Iterable[str]) -> list[License]:
    """By SPDX id where a name is one, else by the name as the package has it."""
    found: dict[str, License] = {}
    for name in [one[:LONGEST_LICENSE] for one in names][:MOST_LICENSES]:
        made = SPDX.make_from_string(name)
        kept = DisjunctiveLicense(name=name) if isinstance(made, LicenseExpression) else made
        found[str(kept.id or kept.name)] = kept
    return list(found.values())


def _line(text: str | None) -> str | None:
    return " ".join(text.split())[:200] if text else None


def bill(found: Found, *, name: str, version: str, image: str, made: datetime, lock: Iterable[str]) -> Bom:
    """The image is the subject; what it holds are its components. `image` is its id, which makes the serial number."""
    subject = Component(
        type=ComponentType.CONTAINER, name=name, version=version, bom_ref=name,
        properties=[Property(name="docker:image:id", value=image)],
    )  # fmt: skip
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, f"{name} {image}"))
    bom.metadata.component = subject
    bom.metadata.timestamp = made
    for component in (*python_components(found, hashes_of(lock)), *debian_components(found)):
        bom.components.add(component)
    bom.register_dependency(subject, list(bom.components))
    return bom


def main() -> int:
    parser = argparse.ArgumentParser(description="A CycloneDX bill of materials of an image's file system.")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--image", required=True, help="the image's id")
    parser.add_argument("--made", required=True, help="when the image was made, in ISO 8601")
    parser.add_argument("--lock", type=Path, help="the lock file whose hashes its Python packages have")
    asked = parser.parse_args()
    found = found_in(sys.stdin.buffer)
    if not found.debian:
        sys.exit(f"{asked.name}: no Debian package was found; is this an image's file system?")
    made = datetime.fromisoformat(asked.made[:19]).replace(tzinfo=UTC)
    lock = asked.lock.read_text().splitlines() if asked.lock else []
    made_bill = bill(found, name=asked.name, version=asked.version, image=asked.image, made=made, lock=lock)
    sys.stdout.write(JsonV1Dot6(made_bill).output_as_string(indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
