"""A contact's number as a person typed it, and the identities that keep in step with it."""

from uuid import UUID

from django.db import IntegrityError, transaction

from config.errors import Invalid
from crm.errors import PhoneTaken
from crm.models import Contact, ContactIdentity, IdentityKind, Workspace
from crm.phones import Phone, match_key, parse


def read_number(workspace_id: UUID, typed: str) -> Phone | None:
    """None for no number. Without a country code the workspace's habits apply."""
    if not typed:
        return None
    region = Workspace.objects.values_list("default_region", flat=True).get(pk=workspace_id)
    phone = parse(typed, region)
    if phone is None:
        raise Invalid(errors={"phone": "This is not a phone number."})
    return phone


def take_number(contact: Contact, phone: Phone) -> None:
    """The contact goes by this number from now on. PhoneTaken when somebody else does; a deleted one gives it up."""
    wanted = _keys(phone)
    held = ContactIdentity.objects.filter(
        workspace_id=contact.workspace_id, kind__in=[IdentityKind.MATCH, IdentityKind.PHONE], value__in=wanted.values()
    )
    rows = list(held.select_related("contact").select_for_update(of=("self",), no_key=True).order_by("pk"))
    for row in rows:
        if row.contact_id != contact.pk and row.contact.deleted_at is None:
            raise PhoneTaken(contact=row.contact_id)
    held.exclude(contact=contact).update(contact=contact)
    missing = [
        ContactIdentity(workspace_id=contact.workspace_id, contact=contact, kind=kind, value=value)
        for kind, value in wanted.items()
        if (kind, value) not in {(row.kind, row.value) for row in rows}
    ]
    try:
        with transaction.atomic():
            ContactIdentity.objects.bulk_create(missing)
    except IntegrityError:  # taken at the same moment
        raise PhoneTaken(contact=holder_of(contact.workspace_id, phone)) from None


def leave_number(contact: Contact, number: str) -> None:
    """The contact no longer goes by it, unless it wrote to us from there: then it is known, whatever was typed."""
    if not number:
        return
    match = match_key(number.lstrip("+"))
    known = ContactIdentity.objects.filter(contact=contact)
    received = known.filter(kind=IdentityKind.WHATSAPP).values_list("value", flat=True)
    if match not in {match_key(value) for value in received}:
        known.filter(kind__in=[IdentityKind.MATCH, IdentityKind.PHONE], value__in=[match, number]).delete()


def take_address(contact: Contact, old: str) -> None:
    """The same for an e-mail address. Families share one: it stays with whom it is known for."""
    known = ContactIdentity.objects.filter(contact=contact, kind=IdentityKind.EMAIL)
    if old and old.lower() != contact.email.lower():
        known.filter(value=old.lower()).delete()
    if contact.email:
        ContactIdentity.objects.bulk_create(
            [
                ContactIdentity(
                    workspace_id=contact.workspace_id,
                    contact=contact,
                    kind=IdentityKind.EMAIL,
                    value=contact.email.lower(),
                )
            ],
            ignore_conflicts=True,
        )


def holder_of(workspace_id: UUID, phone: Phone) -> UUID | None:
    known = ContactIdentity.objects.filter(
        workspace_id=workspace_id, kind=IdentityKind.MATCH, value=phone.match, contact__deleted_at=None
    ).values_list("contact_id", flat=True)
    plain = Contact.objects.alive().filter(workspace_id=workspace_id, phone_normalized=phone.e164)
    return known.first() or plain.values_list("pk", flat=True).first()


def _keys(phone: Phone) -> dict[str, str]:
    return {IdentityKind.MATCH.value: phone.match, IdentityKind.PHONE.value: phone.e164}
