"""What follows at Twilio: a send climbs its ladder and tells the callback address, customers write in."""

import asyncio
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from webhooks.simulator.state import Account, File, Hook, Text
from webhooks.simulator.twilio import VERSION, new_sid, segments

if TYPE_CHECKING:
    from webhooks.simulator.world import World

SMS_RUNGS = ("sent", "delivered")
WHATSAPP_RUNGS = ("sent", "delivered", "read")
# As our numbers are configured over there: five more tries, whatever went wrong.
OVERRIDES = "#rc=5&rp=all"
STOP = {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
START = {"START", "UNSTOP"}
OUTSIDE_WINDOW = 63016
MEDIA_NOT_LOADED = {True: 63019, False: 11200}  # by whether it is WhatsApp


class TwilioLife:
    def __init__(self, world: "World") -> None:
        self.world = world

    def resume(self, since: float) -> None:
        for text in list(self.world.ledger.texts.values()):
            if text.direction != "inbound" and text.at > since:
                self.world.spawn(self._climb(text))

    def accept(self, text: Text) -> None:
        """From here on the send has happened, whether or not the sender hears of it."""
        self.world.ledger.add_text(text)
        self.world.spawn(self._climb(text))

    async def _climb(self, text: Text) -> None:
        told = {name for name, _ in self.world.ledger.states_of(text)}
        code = text.code
        rungs = self._rungs(text)
        if not told and text.more.get("MediaUrl") and not await self.loads(text.more["MediaUrl"]):
            rungs, code = ("failed",), MEDIA_NOT_LOADED[text.is_whatsapp]
        delays = self.world.options.status_delays
        due = [(name, text.at + delay) for name, delay in zip(rungs, delays, strict=False) if name not in told]
        if text.plan == "out_of_order":
            await asyncio.sleep(max(0.0, due[-1][1] - time.time()) if due else 0)
            due.reverse()
        for name, at in due:
            await asyncio.sleep(max(0.0, at - time.time()))
            self._tell(text, name, at, code)
        if due and rungs[-1] in {"read", "delivered"}:
            await self.world.customers.heard_text(text)

    def _rungs(self, text: Text) -> tuple[str, ...]:
        if text.plan == "failed":
            # What the channel refuses has never left; what a carrier refuses had.
            return ("failed",) if text.code == OUTSIDE_WINDOW else ("sent", "undelivered")
        if text.plan == "off":
            return ()
        return WHATSAPP_RUNGS if text.is_whatsapp else SMS_RUNGS

    async def loads(self, address: str) -> bool:
        """Media are fetched by the provider itself: an address that only we can open fails the message."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10, follow_redirects=True) as client:
                return (await client.get(address)).status_code == 200
        except (httpx.HTTPError, httpx.InvalidURL):
            return False

    def _tell(self, text: Text, status: str, at: float, code: int) -> None:
        if text.callback:
            body = urlencode(status_form(text, status, code))
            keys = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{text.id}/{status}"))]
            if text.plan == "duplicate":
                keys.append(str(uuid.uuid4()))
            for key in keys:
                self.world.courier.post(
                    Hook(key, text.account, f"status.{status}", body, text.peer, form="twilio", url=text.callback)
                )
        self.world.ledger.add_state(text, status, at)

    # --- People ---------------------------------------------------------------------------------------------

    def write(
        self,
        account: Account,
        from_: str,
        bodies: list[str],
        *,
        files: tuple[File, ...] = (),
        more: dict[str, str] | None = None,
        at: float | None = None,
        ids: list[str] | None = None,
    ) -> tuple[list[Text], list["asyncio.Task[bool]"]]:
        """Somebody writes. Our number answers on the channel they wrote on; STOP and START count per sender."""
        to = f"whatsapp:{account.phone}" if from_.startswith("whatsapp:") else account.phone
        texts = [
            Text(
                id=ids[place] if ids else new_sid("MM" if files else "SM"),
                account=account.sid,
                direction="inbound",
                from_=from_,
                to=to,
                body=body,
                at=time.time() if at is None else at,
                media=tuple(file.id for file in files),
                more=more or {},
                plan="off",
            )
            for place, body in enumerate(bodies)
        ]
        return texts, [self._post(account, text) for text in texts]

    def _post(self, account: Account, text: Text) -> "asyncio.Task[bool]":
        ledger = self.world.ledger
        if text.id not in ledger.texts:
            ledger.add_text(text)
        word = text.body.strip().upper()
        if not text.is_whatsapp and word in STOP | START:
            ledger.opt(text.to, text.from_, out=word in STOP)
        url = f"{self.world.options.public_url}/webhooks/twilio/{account.channel}{OVERRIDES}"
        body = urlencode(self._inbound_form(text))
        return self.world.courier.post(
            Hook(str(uuid.uuid4()), account.sid, "message", body, text.peer, form="twilio", url=url)
        )

    def _inbound_form(self, text: Text) -> dict[str, str]:
        form = {
            **dict.fromkeys(("MessageSid", "SmsMessageSid", "SmsSid"), text.id),
            "AccountSid": text.account,
            "ApiVersion": VERSION,
            "From": text.from_,
            "To": text.to,
            "Body": text.body,
            "NumMedia": str(len(text.media)),
            "NumSegments": str(segments(text.body)),
            "SmsStatus": "received",
        }
        for place, id_ in enumerate(text.media):
            form[f"MediaUrl{place}"] = self.media_url(text, id_)
            form[f"MediaContentType{place}"] = self.world.ledger.files[id_].content_type
        if text.is_whatsapp:
            form |= {"WaId": text.from_.removeprefix("whatsapp:+"), "MessageType": _kind(form), "ReferralNumMedia": "0"}
        else:
            form |= {f"{end}{part}": "" for end in ("From", "To") for part in ("City", "State", "Zip", "Country")}
        return form | text.more

    def media_url(self, text: Text, id_: str) -> str:
        return f"{self.world.options.own_url}/{VERSION}/Accounts/{text.account}/Messages/{text.id}/Media/{id_}"


def _kind(form: dict[str, str]) -> str:
    """WhatsApp's name of what it is, by the type of its file."""
    main = form.get("MediaContentType0", "").partition("/")[0]
    if not main:
        return "text"
    return main if main in {"image", "audio", "video"} else "document"


def status_form(text: Text, status: str, code: int) -> dict[str, str]:
    form = {
        **dict.fromkeys(("MessageSid", "SmsSid"), text.id),
        **dict.fromkeys(("MessageStatus", "SmsStatus"), status),
        "To": text.to,
        "From": text.from_,
        "AccountSid": text.account,
        "ApiVersion": VERSION,
    }
    if text.service:
        form["MessagingServiceSid"] = text.service
    if status in {"failed", "undelivered"}:
        form["ErrorCode"] = str(code)
    if text.is_whatsapp:
        form |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": text.to, "ChannelInstallSid": f"XE{'0' * 32}"}
        if status == "read":
            form["EventType"] = "READ"
    elif status == "delivered":
        form["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime(text.at))
    return form
