"""Signed-in browsers, and the accounts, sessions and tokens of the issuer that stands in for Supabase."""

from django.db import models
from django.db.models.functions import Lower, Now

from crm.encryption import EncryptedJSONField
from crm.ids import uuid7
from crm.models.people import User


class BrowserSession(models.Model):
    """What a browser's cookie stands for. The issuer's tokens stay here; the browser never sees them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browser_sessions")
    tokens = EncryptedJSONField()  # {"access_token", "refresh_token"}
    expires_at = models.DateTimeField()  # of the access token
    renewed_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    # Who exchanges the refresh token right now, and until when nobody else may: a refresh token is good for one use.
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["renewed_at"], name="browser_session_renewed")]

    def __str__(self) -> str:
        return str(self.pk)


class IssuerAccount(models.Model):
    """`user_id` is the `sub` of the tokens; the user's own row appears at first sight, as with Supabase."""

    user_id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    password = models.CharField(max_length=200)  # hashed by Django's first hasher
    metadata = models.JSONField(default=dict, blank=True)  # Supabase's user_metadata: the person's own to write
    banned = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="issuer_email_once")]

    def __str__(self) -> str:
        return str(self.user_id)


class IssuerSession(models.Model):
    """One sign-in. Signing out deletes it; a refresh token that comes back too late ends it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(IssuerAccount, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="issuer_session_created")]

    def __str__(self) -> str:
        return str(self.pk)


class IssuerRefreshToken(models.Model):
    """Only the digest is kept. `used_at` is set by the one exchange that it is good for."""

    session = models.ForeignKey(IssuerSession, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)
