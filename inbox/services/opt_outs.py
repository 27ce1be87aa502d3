"""Records who told one of our senders to stop, and who came back. `inbox.opt_outs` reads it."""

from datetime import datetime
from typing import Literal

from config.live.unit import unit_of_work
from inbox.models import Channel, OptOut

Wish = Literal["STOP", "START"]
# Words that operators and Twilio act upon by themselves when they are all that was written.
KEYWORDS: dict[str, Wish] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP"), "START"),
}
_LONGEST = 40  # what is longer is a sentence


def wish_of(body: str, *, announced: str = "") -> Wish | None:
    """`announced` is what the provider made of it, which counts more than the words."""
    if announced:
        return KEYWORDS.get(announced.strip().upper())
    return KEYWORDS.get("".join(body.split()).upper()) if len(body) <= _LONGEST else None


@unit_of_work
def record_wish(*, channel: Channel, sender: str, address: str, wish: Wish, keyword: str, at: datetime) -> None:
    """An older wish than the one known changes nothing, so deliveries may come in any order and twice."""
    row, _ = OptOut.objects.select_for_update(no_key=True).get_or_create(
        channel=channel,
        sender=sender[:80],
        address=address[:80],
        defaults={"workspace_id": channel.workspace_id},
    )
    if any(known is not None and known >= at for known in (row.opted_out_at, row.opted_in_at)):
        return
    if wish == "STOP":
        row.opted_out_at = at
    else:
        row.opted_in_at = at
    row.keyword = keyword[:20]
    row.save(update_fields=["opted_out_at", "opted_in_at", "keyword"])
