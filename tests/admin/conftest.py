"""Staff, and a visitor who is none."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


def logged_in(user: User) -> Client:
    """A browser in which the user is logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(db: None) -> Client:
    """A superuser's browser."""
    return logged_in(User.objects.create_superuser("boss"))


@pytest.fixture
def viewer(db: None) -> Client:
    """The browser of staff who may look and nothing else."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return logged_in(user)


@pytest.fixture
def powerless(db: None) -> Client:
    """The browser of staff without any permission."""
    return logged_in(User.objects.create_user("new", is_staff=True))


@pytest.fixture
def customer(db: None) -> Client:
    """The browser of a user who is not staff."""
    return logged_in(User.objects.create_user("customer"))
