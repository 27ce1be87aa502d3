"""Supabase: the hook of its Auth server that tells of a new user, and database webhooks on its table of users."""

from uuid import UUID

from webhooks.fields import NAME_LIMIT, Fields, fields, moment, name_or_id
from webhooks.identity.items import SUPABASE, Event, Item, Other, UserGone, UserKept

EMAIL_LIMIT, PHONE_LIMIT = 254, 32
AFTER_CREATION = "hook.after-user-created"  # the one before it may still be refused


def of_hook(event: Event) -> Item:
    if event.type.replace("_", "-") != AFTER_CREATION:
        return Other(event.type)
    return _user(event, fields(event.content.get("user")), is_new=True)


def of_row(event: Event) -> Item:
    if event.content.get("schema") != "auth" or event.content.get("table") != "users":
        return Other(event.type)
    match event.type:
        case "users.insert" | "users.update":
            return _user(event, fields(event.content.get("record")), is_new=event.type == "users.insert")
        case "users.delete":
            subject = _id(fields(event.content.get("old_record")))
            return UserGone(SUPABASE, subject, None) if subject else Other(event.type, "The row has no id.")
    return Other(event.type)


def _user(event: Event, user: Fields, *, is_new: bool) -> Item:
    subject = _id(user)
    if subject is None:
        return Other(event.type, "The user has no id.")
    at = moment(user.get("updated_at")) or event.sent_at
    if moment(user.get("deleted_at")):
        return UserGone(SUPABASE, subject, at)
    email = name_or_id(user.get("email")) or ""
    phone = name_or_id(user.get("phone")) or ""
    own = fields(user.get("user_metadata") or user.get("raw_user_meta_data"))  # the person's own: for display alone
    return UserKept(
        provider=SUPABASE,
        subject=subject,
        at=at,
        is_new=is_new,
        email=email if len(email) <= EMAIL_LIMIT and moment(user.get("email_confirmed_at")) else "",
        phone=phone if len(phone) <= PHONE_LIMIT and moment(user.get("phone_confirmed_at")) else "",
        name=(name_or_id(own.get("full_name")) or name_or_id(own.get("name")) or "")[:NAME_LIMIT],
        is_barred=False,
    )


def _id(user: Fields) -> str | None:
    try:
        return str(UUID(name_or_id(user.get("id")) or ""))
    except ValueError:
        return None
