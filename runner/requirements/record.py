"""Reads the list of packages that an installer's container wrote: untrusted, since it is written inside the sandbox."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.domain.errors import InvalidInput


class Package(BaseModel):
    """One installed package, by the digest of its wheel."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.!+_-]{1,200}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


_PACKAGES = TypeAdapter(list[Package])


def packages_of(record: bytes) -> list[dict[str, str]]:
    """Returns the packages in order. Raises InvalidInput when the record is no such list."""
    try:
        return [package.model_dump() for package in _PACKAGES.validate_json(record)]
    except ValidationError as error:
        raise InvalidInput.of("record.json", "is no list of packages") from error
