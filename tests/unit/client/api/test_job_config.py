"""A job's config, as it is built for the platform."""

import pytest

from client.api.job_config import job_config

pytestmark = pytest.mark.unit


def test_choices_join_the_overrides() -> None:
    """Only choices that were made are in the job's config."""
    assert job_config({"a": 1}, benchmark=None, resource_class="small") == {"a": 1, "resource_class": "small"}


def test_a_choice_wins_over_an_override_of_its_name() -> None:
    """The form's own field says it, whatever the overrides hold."""
    assert job_config({"benchmark": "a"}, benchmark="b", resource_class="") == {"benchmark": "b"}
