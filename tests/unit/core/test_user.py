"""Users: owners see their own, admins see all."""

from __future__ import annotations

import pytest

from core.domain.user import Role, User

pytestmark = pytest.mark.unit


def test_only_the_owner_and_admins_see_a_thing() -> None:
    """JOB-10."""
    assert User(user_id="ada").may_see("ada")
    assert not User(user_id="ada").may_see("bob")
    assert not User(user_id="ada").may_see("Ada")
    assert User(user_id="root", role=Role.ADMIN).may_see("ada")


def test_a_user_is_no_admin_unless_told() -> None:
    """The default role is the lesser one."""
    assert User(user_id="ada").role is Role.USER
