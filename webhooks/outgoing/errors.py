"""What can go wrong with subscriptions, their calls and the feed."""

from config.errors import Conflict, DomainError, Invalid


class BadTarget(Invalid):
    """`data["errors"]["url"]` says why."""

    code = "bad_target"
    message = "This address cannot be called."

    def __init__(self, reason: str) -> None:
        super().__init__(errors={"url": reason})


class TooManySubscriptions(Conflict):
    code = "too_many_subscriptions"
    message = "This workspace has as many subscriptions as it can have."


class NothingToCall(Conflict):
    code = "nothing_to_call"
    message = "This subscription has no address: its events are pulled."


class SwitchedOff(Conflict):
    code = "subscription_switched_off"
    message = "This subscription is switched off. Switch it on first."


class FeedReset(DomainError):
    """`data`: the `seq` that cannot be resumed from, the `oldest` that is kept and the newest, `head`."""

    code = "reset"
    status = 410
    message = "The events after this number are no longer kept. Load what you need and go on from the newest number."
