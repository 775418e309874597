"""Routes for admins: accounts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from core.usecases.accounts import AddAccount, RemoveAccount
from gateway.dependencies import AuthenticatorPart, CurrentAdmin, PortsPart
from gateway.schemas.auth import AccountList, AccountView, NewAccountView, NewUser

router = APIRouter(prefix="/users", tags=["users"])

AnyName = Annotated[str, Path(max_length=200, json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f]+$"})]
"""Control characters are refused in every address, before routing."""


@router.post("", status_code=HTTPStatus.CREATED)
def add(new: NewUser, _admin: CurrentAdmin, authenticator: AuthenticatorPart, ports: PortsPart) -> NewAccountView:
    """Add an account. A generated password is only in this answer."""
    usecase = AddAccount(accounts=ports.accounts, passwords=authenticator.passwords)
    account, made = usecase(new.name, new.password.get_secret_value() if new.password else None, new.role)
    shown = AccountView.model_validate(account)
    return NewAccountView(**shown.model_dump(), password=made)


@router.get("")
def list_users(
    _admin: CurrentAdmin,
    ports: PortsPart,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=64, pattern="^[A-Za-z0-9._@-]*$")] = None,
) -> AccountList:
    """Accounts by name, including users of the OIDC issuer, without the users of API_TOKENS."""
    page = ports.accounts.list_accounts(limit=limit, cursor=cursor)
    return AccountList(
        items=[AccountView.model_validate(account) for account in page.accounts], next_cursor=page.next_cursor
    )


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
def remove(name: AnyName, _admin: CurrentAdmin, ports: PortsPart) -> None:
    """Remove the account and its sessions; what its user submitted stays, under the same name."""
    RemoveAccount(accounts=ports.accounts, sessions=ports.sessions)(name)
