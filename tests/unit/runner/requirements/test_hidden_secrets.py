"""Addresses and passwords of package indexes are hidden in what users read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.requirements.index import Index

pytestmark = pytest.mark.unit

INDEX = Index(
    urls=("https://robot:s3cr%40t@index.example:8443/simple/", "http://tok3n-0123@other.example/x"),
    more_hosts=("files.example",),
)
SECRETS = ("s3cr", "tok3n", "index.example", "other.example", "files.example")
FORMS = [
    "https://robot:s3cr%40t@index.example:8443/simple/numpy",
    "https://robot:s3cr@t@index.example:8443",
    "HTTPS://ROBOT:S3CR%40T@INDEX.EXAMPLE",
    "https%3A%2F%2Frobot%3As3cr%2540t%40index.example%3A8443%2Fsimple",
    "user robot:s3cr@t was refused",
    "password 's3cr@t'",
    "password s3cr%40t",
    "http://tok3n-0123@other.example/x/y",
    "host='index.example', port=8443",
    "index.example:8443",
    "https://files.example/a.whl",
    "x" * 390 + "https://robot:s3cr%40t@index.example:8443/simple/",
]
FOREIGN = [
    "git+ssh://git:hunter2@host.example/x",
    "ftp://a:hunter2@h/",
    "see https://hunter2@h.example/x",
    "(bob:hunter2@h.example)",
    "proxy=bob:hunter2@h:3128",
    "https%3A%2F%2Fbob%3Ahunter2%40h.example",
    "https://bob:p:hunter2@h@x.example/",
    "https://:hunter2@h.example/",
]


@pytest.mark.parametrize("text", FORMS, ids=lambda text: text[-40:])
def test_no_form_of_the_address_is_shown(text: str) -> None:
    """As it is set, decoded, encoded, in capitals, in parts."""
    hidden = INDEX.hidden(text)
    assert not [secret for secret in SECRETS if secret in hidden.lower()], hidden


@pytest.mark.parametrize("text", FOREIGN)
def test_anybody_elses_password_is_hidden_too(text: str) -> None:
    """`user:password@` wherever it stands, also where no index is set."""
    assert "hunter2" not in Index(urls=()).hidden(text)


def test_other_words_stay_as_they_are() -> None:
    """A log is there to be read."""
    text = "ERROR: Could not find a version that satisfies numpy>=9 (from versions: 1.0, 2.0): x@y, a: b @ c"
    assert INDEX.hidden(text) == text


@given(before=st.text("ab:/@ '%=(", max_size=40), after=st.text("ab:/@ '%=(", max_size=40))
def test_whatever_stands_around_it(before: str, after: str) -> None:
    """The password is found between any signs."""
    assert "s3cr%40t" not in INDEX.hidden(f"{before}https://robot:s3cr%40t@index.example:8443/simple/{after}")


@pytest.mark.parametrize("piece", ["a", ":", "/", "@", "a:", ":/", "%3A%2F", "a:b", "(", "a@"])
def test_hiding_takes_no_time_that_a_text_could_make_long(piece: str) -> None:
    """A megabyte of any sign."""
    started = time.process_time()
    INDEX.hidden(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 5
