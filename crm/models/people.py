"""People who sign in. The user's row stays small; every way to recognise one is an identity."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.ids import uuid7

PLATFORM_ADMIN = "admin"


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(pk=username or "")


class User(AbstractBaseUser):
    """`id` is the Supabase `sub` when the user was born from a Supabase token, else our own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(blank=True, max_length=254)
    phone = models.CharField(blank=True, max_length=32)
    name = models.CharField(blank=True, max_length=200)
    is_anonymous = models.BooleanField(default=False)  # type: ignore[assignment]  # the spec's column, Django's name
    roles = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)

    # Identity is Supabase's: no password and no log-in time here.
    password = None  # type: ignore[assignment]
    last_login = None

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        indexes = [models.Index(fields=["email"], name="user_email")]

    def __str__(self) -> str:
        return self.name or self.email or str(self.pk)

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0] or "Someone"

    @property
    def first_name(self) -> str:
        """All that customers are told of a member; never made from an address."""
        word = self.name.split(maxsplit=1)[0] if self.name.strip() else ""
        return "" if "@" in word else word[:60]

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.deactivated_at is None

    @property
    def is_platform_admin(self) -> bool:
        return PLATFORM_ADMIN in self.roles

    # What Django admin asks of a user.
    def get_username(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.display_name

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.is_platform_admin

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class UserIdentity(models.Model):
    """One way in which a provider names a user. The only look-up from a token to a user."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=40)
    subject = models.CharField(max_length=255)
    # The provider's time of the newest news applied, and when it said that the user is gone: older news change nothing
    provider_time = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    barred_at = models.DateTimeField(null=True, blank=True)  # banned at the provider, which can be taken back there
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "user identities"
        constraints = [models.UniqueConstraint(fields=["provider", "subject"], name="user_identity_once")]

    def __str__(self) -> str:
        return f"{self.provider}:{self.subject}"
