"""Login with user name and password: throttled, slow on purpose, the same for wrong names and wrong passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from core.domain.account import Account, LoginLimits, new_stamp, password_faults
from core.domain.errors import Forbidden, InvalidInput, LimitReached, WrongCredentials
from core.domain.session import MOST_SESSIONS, Session, new_token, token_hash
from core.domain.user import AuthMethod, Role, User
from core.ports.accounts import AccountsPort
from core.ports.login_throttle import LoginThrottlePort
from core.ports.passwords import PasswordsPort
from core.ports.sessions import SessionsPort


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """An opened session. This is the only time that its token is returned."""

    token: str = field(repr=False)
    user_id: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LogIn:
    """Opens sessions and changes passwords (AUT-2)."""

    accounts: AccountsPort
    sessions: SessionsPort
    throttle: LoginThrottlePort
    passwords: PasswordsPort
    limits: LoginLimits
    lasts: timedelta

    def __call__(self, name: str, password: str, *, address: str) -> Login:
        """Open a session. Raises WrongCredentials, LimitReached."""
        return self._open(self._proven(name, password, address))

    def change_password(self, user: User, password: str, new_password: str, *, address: str) -> Login:
        """Set a new password. All sessions of the user end, and a new one opens.

        Raises Forbidden for users without a password on this site, InvalidInput for a new password that breaks the
        rules, WrongCredentials, LimitReached.
        """
        if user.method is not AuthMethod.PASSWORD:
            raise Forbidden("You did not sign in with a password, so there is none to change.")
        if faults := password_faults("new_password", user.user_id, new_password):
            raise InvalidInput(*faults)
        old = self._proven(user.user_id, password, address)
        new = replace(old, password_hash=self.passwords.hashed(new_password), stamp=new_stamp())
        self.accounts.replace(old, new)
        self.sessions.close_all(user.user_id)
        return self._open(new)

    def _proven(self, name: str, password: str, address: str) -> Account:
        with self._counted(name, address):
            account = self.accounts.find(name)
            password_hash = account.password_hash if account else ""
            if not self.passwords.matches(password_hash or None, password) or account is None:
                raise WrongCredentials
            return account

    @contextmanager
    def _counted(self, name: str, address: str) -> Iterator[None]:
        """Count an attempt before it is checked, so that parallel guesses gain nothing; a correct one is taken back."""
        who = name.lower()
        limits = self.limits
        budgets = {f"pair {address} {who}": limits.pair, f"name {who}": limits.name, f"from {address}": limits.address}
        if wait := self.throttle.take(budgets, window_seconds=limits.window_seconds):
            raise LimitReached(f"Too many attempts to sign in. Try again in {wait} seconds.", retry_after_seconds=wait)
        try:
            yield
        except WrongCredentials:
            raise
        except BaseException:  # only a wrong password counts; any other error gives the attempt back
            self.throttle.give_back(budgets)
            raise
        else:
            self.throttle.give_back(budgets)

    def _open(self, account: Account) -> Login:
        token, expires_at = new_token(), datetime.now(UTC) + self.lasts
        session = Session(user_id=account.name, stamp=account.stamp, expires_at=expires_at)
        self.sessions.open(token_hash(token), session, most=MOST_SESSIONS)
        return Login(token=token, user_id=account.name, role=account.role, expires_at=expires_at)
