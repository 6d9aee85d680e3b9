"""What things may be called."""

import pytest

from coder_cli.kit.names import check_email, check_name, check_version_name


@pytest.mark.parametrize("name", ["a", "dev", "my-box", "A1-b2", "x" * 32])
def test_good_names(name: str) -> None:
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "a_b", "new", "Create", "x" * 33, "a\n"])
def test_bad_names(name: str) -> None:
    assert check_name(name)


@pytest.mark.parametrize(("name", "good"), [("v1.2_3-4", True), ("a..b", False), ("", False)])
def test_version_names(name: str, *, good: bool) -> None:
    assert (check_version_name(name) is None) is good


@pytest.mark.parametrize(("email", "good"), [("a@b.c", True), ("a b@c", False), ("@x", False)])
def test_emails(email: str, *, good: bool) -> None:
    assert (check_email(email) is None) is good
