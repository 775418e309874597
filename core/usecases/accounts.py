"""Accounts: adding and removing them, and the user behind a session's token or an OIDC token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.domain.account import Account, check_account, new_password
from core.domain.errors import Conflict, Forbidden, Unauthenticated
from core.domain.session import token_hash
from core.domain.user import AuthMethod, Role, User
from core.ports.accounts import AccountsPort
from core.ports.passwords import PasswordsPort
from core.ports.sessions import SessionsPort


@dataclass(frozen=True, kw_only=True, slots=True)
class AddAccount:
    """Creates an account with a password."""

    accounts: AccountsPort
    passwords: PasswordsPort

    def __call__(self, name: str, password: str | None, role: Role) -> tuple[Account, str | None]:
        """The account, and its password if one was generated. Raises InvalidInput, Conflict."""
        chosen = password or new_password()
        check_account(name, chosen)
        if self.accounts.find(name) is not None:  # checked before the hash, which is slow
            raise Conflict(f"The user name {name!r} is taken.")
        account = Account(
            name=name, role=role, created_at=datetime.now(UTC), password_hash=self.passwords.hashed(chosen)
        )
        self.accounts.add(account)
        return account, None if password else chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveAccount:
    """Removes an account and its sessions. Its user's submissions stay, under the same name."""

    accounts: AccountsPort
    sessions: SessionsPort

    def __call__(self, name: str) -> None:
        """Raises NotFound."""
        self.accounts.remove(name)
        self.sessions.close_all(name)


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionUser:
    """The user to whom a session's token belongs."""

    accounts: AccountsPort
    sessions: SessionsPort

    def __call__(self, token: str) -> User:
        """The user with the account's current role. Raises Unauthenticated."""
        session = self.sessions.find(token_hash(token))
        account = self.accounts.find(session.user_id) if session else None
        if session is None or account is None or account.stamp != session.stamp:
            raise Unauthenticated("This session has ended. Sign in again.")
        return User(user_id=account.name, role=account.role, method=AuthMethod.PASSWORD)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerUser:
    """The user of an OIDC token, under a name that no other user of this site has had."""

    accounts: AccountsPort
    reserved: frozenset[str]
    """Names of other users, in lower case."""

    def __call__(self, name: str, subject: str, role: Role) -> User:
        """The first subject with a name keeps it. Raises Forbidden if it belongs to another user."""
        account = None if name.lower() in self.reserved else self._account(name, subject)
        if account is None or account.subject != subject:
            raise Forbidden(f"The user name {name!r} belongs to somebody else on this site. Ask an admin.")
        return User(user_id=account.name, role=role, method=AuthMethod.OIDC)

    def _account(self, name: str, subject: str) -> Account:
        new = Account(name=name, subject=subject, created_at=datetime.now(UTC))
        return self.accounts.find(name) or self.accounts.bind(new)
