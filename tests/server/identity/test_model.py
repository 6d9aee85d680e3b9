"""The pure rules: strength of passwords, life of keys, who gives which role."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.identity.errors import UnknownRole, WeakPassword
from server.identity.model import roles
from server.identity.model.keys import Credential, Touch, touch
from server.identity.model.passwords import MIN_BITS, bits, require_strong, weakness
from server.kit.authz import ORGANIZATION_ROLES, SITE_ROLES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "password",
    ["SomeSecurePassword!", "correct horse battery", "tr0ub4dor&3xyzq", "пароль-на-каждый-день"],
)
def test_a_good_password(password: str) -> None:
    assert weakness(password) == ""


@pytest.mark.parametrize(
    "password", ["", "password", "12345678901234567890", "aaaaaaaaaaaaaaaaaaaaaaaa", "Qwertyuiop1"]
)
def test_a_password_that_is_guessed_first(password: str) -> None:
    with pytest.raises(WeakPassword):
        require_strong(password)


@given(st.text(max_size=70), st.characters())
def test_more_characters_never_make_a_password_weaker(password: str, more: str) -> None:
    assert bits(password + more) >= bits(password) >= 0


@given(st.text(min_size=65))
def test_a_password_has_an_end(password: str) -> None:
    assert "64" in weakness(password)


def test_the_bar_is_where_the_reference_puts_it() -> None:
    assert MIN_BITS == 52
    assert bits("zqxjkvbpyg") < 52 < bits("zqxjkvbpygwm")


def key(**changes: object) -> Credential:
    fresh = Credential(
        key_id="k" * 10,
        hashed_secret=b"",
        scopes=["coder:all"],
        lifetime_seconds=24 * 3600,
        last_used=NOW,
        expires_at=NOW + 24 * HOUR,
        user_id=uuid4(),
        username="bob",
        status="active",
        roles=[],
        memberships={},
    )
    return replace(fresh, **changes)


@pytest.mark.parametrize(
    ("credential", "after", "refresh", "expected"),
    [
        (key(), timedelta(0), True, None),
        (key(), HOUR - timedelta(seconds=1), True, None),
        (key(), HOUR, True, Touch(NOW + 25 * HOUR, activate=False)),
        (key(), HOUR, False, None),
        (key(), HOUR * 2, False, Touch(NOW + 24 * HOUR, activate=False)),
        (key(status="dormant"), timedelta(0), True, Touch(NOW + 24 * HOUR, activate=True)),
        # A key for half an hour is over when its time is over.
        (
            key(lifetime_seconds=1800, expires_at=NOW + HOUR / 2),
            HOUR / 4,
            True,
            None,
        ),
    ],
)
def test_what_the_use_of_a_key_writes(
    credential: Credential, after: timedelta, expected: Touch | None, *, refresh: bool
) -> None:
    assert touch(credential, NOW + after, refresh=refresh) == expected


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_use_never_shortens_a_key_and_never_gives_more_than_its_lifetime(
    lifetime: int, used_after: int
) -> None:
    span, at = timedelta(seconds=lifetime), NOW + timedelta(seconds=min(used_after, lifetime))
    credential = key(lifetime_seconds=lifetime, expires_at=NOW + span)
    touched = touch(credential, at, refresh=True)
    if touched is not None:
        assert credential.expires_at <= touched.expires_at <= at + span


def test_who_gives_which_role() -> None:
    table = {
        giver: sorted(
            role for role in (*roles.SITE, *roles.ORGANIZATION) if roles.may_give([giver], role)
        )
        for giver in (*SITE_ROLES, *ORGANIZATION_ROLES)
    }
    everything = sorted((*roles.SITE, *roles.ORGANIZATION))
    assert {giver: given for giver, given in table.items() if given} == {
        "owner": everything,
        "owner-without-workspace-access": everything,
        "organization-admin": sorted(roles.ORGANIZATION),
    }


def test_only_real_roles_are_known_and_repetition_goes() -> None:
    assert roles.known(["auditor", "member", "auditor"], roles.SITE) == ["auditor"]
    for wrong in ("organization-admin", "owner-without-workspace-access", "Owner", ""):
        with pytest.raises(UnknownRole):
            roles.known([wrong], roles.SITE)
