"""What images hold: no program that raises rights, no secret in any layer; and what their bills of materials say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest

from tests.conftest import REPOSITORY, service
from tests.docker.image_scan import Scan, configuration, exported, raised_rights, saved

pytestmark = pytest.mark.docker

IMAGES = ("gateway", "runner", "ui", "mlflow", "redis", "engine")
SECRET_SETTING = re.compile(r"TOKENS?|SECRET|PASSWORD|KEY|INDEX_URL")
SHORTEST = 12
KNOWN = {
    "gateway": ("fastapi", "libc6"),
    "runner": ("docker", "libc6"),
    "ui": ("gradio", "libc6"),
    "mlflow": ("mlflow", "libc6"),
    "redis": (None, "redis-server"),
    "engine": (None, "runc"),
    "sandbox": ("torch", "libc6"),
}


def image_of(name: str) -> str:
    """As compose names it. `LEADERSBOARD_VERSION` names others than those that the test stack runs on."""
    image = f"{os.environ.get('IMAGE_PREFIX', '')}leadersboard-{name}:{os.environ.get('LEADERSBOARD_VERSION', 'dev')}"
    found = subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True)
    if found.returncode and not os.environ.get("CI"):
        pytest.skip(f"{image} is not there: scripts/setup builds it")
    assert not found.returncode, f"{image} is not there"
    return image


def secrets_of_this_machine() -> list[bytes]:
    """Values of the settings that scripts/setup wrote here, and of pip's own, that belong in no image."""
    places = [REPOSITORY / ".env", REPOSITORY / ".state/test/env", os.environ.get("COMPOSE_ENV_FILES", "")]
    lines = [
        line for place in places if place and Path(place).is_file() for line in Path(place).read_text().splitlines()
    ]
    lines += [f"{name}={value}" for name, value in os.environ.items() if name.startswith("LEADERSBOARD_TEST_")]
    found = set()
    for name, _equals, value in (line.partition("=") for line in lines if not line.startswith("#")):
        if not SECRET_SETTING.search(name):
            continue
        parts = [urlsplit(value).password or ""] if "URL" in name else re.split(r"[,:]", value)
        found |= {part.encode() for part in parts if len(part) >= SHORTEST}
    return sorted(found)


@pytest.fixture(scope="module")
def scan() -> Scan:
    secrets = secrets_of_this_machine()
    assert secrets, "no settings of this machine were found, so nothing would be looked for"
    return Scan(secrets=secrets)


@pytest.mark.parametrize("name", IMAGES)
def test_no_program_in_a_service_image_raises_rights(name: str) -> None:
    """No set-uid, no set-gid program, no file capability; the sandbox's image is tried in tests/docker/hostile."""
    with exported(image_of(name)) as file_system:
        assert raised_rights(file_system) == []


@pytest.mark.parametrize("name", IMAGES)
def test_no_secret_is_in_any_layer(name: str, scan: Scan) -> None:
    """Nor in its history; nor a file that usually holds one, nor anything of ours that the image does not run."""
    image = image_of(name)
    with saved(image) as layers:
        assert scan.image(layers) == []
    text = configuration(image)
    assert not [one for one in scan.secrets if one.decode() in text]


def test_no_secret_is_in_the_image_of_submissions(scan: Scan) -> None:
    """What every submission can read."""
    image, engine = service("LEADERSBOARD_TEST_SANDBOX_IMAGE"), ("--host", service("LEADERSBOARD_TEST_ENGINE"))
    with saved(image, *engine) as layers:
        assert scan.image(layers) == []
    text = configuration(image, *engine)
    assert not [one for one in scan.secrets if one.decode() in text]


PLANTED = """FROM {image}
USER 0:0
ENV SITE_TOKEN={secret}
RUN cp /usr/bin/env /usr/bin/raised && chmod u+s /usr/bin/raised && cp /usr/bin/env /usr/bin/grouped \
 && chmod g+s /usr/bin/grouped && cp /usr/bin/env /usr/bin/able \
 && python3 -c "import os; os.setxattr('/usr/bin/able', 'security.capability', bytes.fromhex('{capability}'))"
RUN printf 'machine x password y' > /root/.netrc && mkdir -p /app/tests /app/.git \
 && printf 'x = 1' > /app/tests/test_x.pyc && printf '[global]' > /etc/pip.conf && printf '{secret}' > /opt/kept \
 && printf 'index-url = https://ann:hunter22@index.example/simple' > /etc/other.conf \
 && printf -- '-----BEGIN RSA PRIVATE KEY-----\\n{key}\\n' > /opt/key.pem
RUN rm /root/.netrc /opt/kept /opt/key.pem
"""
CAPABILITY_BYTES = "0000000200200000000000000000000000000000"
"""CAP_SYS_ADMIN in a file's permitted set, as the kernel keeps it."""


@pytest.fixture(scope="module")
def planted() -> Any:
    """A small image on one of ours with everything that must not be there, some of it removed in a later layer."""
    secret, tag = "planted-secret-0123456789", f"leadersboard-planted:{os.getpid()}"
    text = PLANTED.format(image=image_of("redis"), secret=secret, capability=CAPABILITY_BYTES, key="A" * 64)
    built = subprocess.run(
        ["docker", "build", "--quiet", "--tag", tag, "-"], input=text, check=False, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    yield tag, secret.encode()
    subprocess.run(["docker", "image", "rm", "--force", tag], check=True, capture_output=True)


def test_planted_programs_are_found(planted: tuple[str, bytes]) -> None:
    with exported(planted[0]) as file_system:
        found = "\n".join(raised_rights(file_system))
    assert {"usr/bin/raised: mode 4755", "usr/bin/grouped: mode 2755", "usr/bin/able: file capabilities"} <= set(
        found.splitlines()
    )


def test_planted_secrets_are_found_also_where_a_later_layer_removed_them(planted: tuple[str, bytes]) -> None:
    tag, secret = planted
    with saved(tag) as layers:
        found = Scan(secrets=[secret]).image(layers)
    for name, kind in (
        ("root/.netrc", "a file that holds secrets"),
        ("app/.git", "a file that holds secrets"),
        ("etc/pip.conf", "a file that holds secrets"),
        ("app/tests/test_x.pyc", "no part of what this image runs"),
        ("opt/kept", "a secret of this machine's settings"),
        ("opt/key.pem", "a private key"),
        ("etc/other.conf", "an address with a password"),
    ):
        assert f"{name}: {kind}" in found
    assert any(one.startswith("description ") for one in found), "the environment is in the image's description"
    assert secret.decode() in configuration(tag)


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Draft7Validator:
    """CycloneDX 1.6, as its own project publishes it in the library."""
    folder = files("cyclonedx.schema._res")
    read = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text()) for name in
            ("bom-1.6", "spdx", "jsf-0.82")}  # fmt: skip
    registry = jsonschema_rs.Registry(
        [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", one) for name, one in read.items()]
    )
    return jsonschema_rs.Draft7Validator(read["bom-1.6"], registry=registry)


@pytest.mark.parametrize("name", KNOWN)
def test_each_image_has_a_bill_of_materials(name: str, schema: jsonschema_rs.Draft7Validator, tmp_path: Path) -> None:
    """Valid CycloneDX with the packages of both kinds, purls, versions and the lock's hashes; twice the same bytes."""
    project = service("LEADERSBOARD_TEST_PROJECT") if name == "sandbox" else image_of(name) and "leadersboard"
    environment = {**os.environ, "SBOM_FOLDER": str(tmp_path), "PROJECT": project}
    texts = []
    for _try in range(1 if name == "sandbox" else 2):
        done = subprocess.run(
            ["scripts/sbom", name], cwd=REPOSITORY, env=environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        texts.append((tmp_path / f"{name}.cdx.json").read_text())
    assert len(set(texts)) == 1
    bill = json.loads(texts[0])
    assert [f"{fault.instance_path}: {fault.message[:200]}" for fault in schema.iter_errors(bill)] == []
    found = {one["purl"].partition("@")[0]: one for one in bill["components"]}
    python, debian = KNOWN[name]
    package = found[f"pkg:deb/debian/{debian}"]
    assert package["version"]
    assert package["licenses"]
    assert any(one.get("licenses") for key, one in found.items() if key.startswith("pkg:pypi/")) == bool(python)
    if python:
        assert found[f"pkg:pypi/{python}"]["hashes"]
        pip = "pkg:pypi/pip"  # the sandbox's environment was made with its own
        unlocked = [key for key, one in found.items() if key.startswith("pkg:pypi/") and not one.get("hashes")]
        assert unlocked == ([pip] if name == "sandbox" else []), "installed, but in no lock"
    assert bill["metadata"]["component"]["name"] == f"leadersboard-{name}"
    assert not re.search(r"index-url|/simple\b", texts[0])
    assert not [one for one in secrets_of_this_machine() if one.decode() in texts[0]]
