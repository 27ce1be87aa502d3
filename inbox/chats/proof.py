"""Optional proof against bots: a browser spends a second on a sum before it becomes a visitor. No outside service."""

import hashlib
import secrets

from django.core.signing import BadSignature, TimestampSigner

from config.errors import DomainError
from crm.identity.throttle import count_up
from inbox.models import Channel

GOOD_FOR = 600  # seconds
MOST_BITS = 24
_signer = TimestampSigner(salt="inbox.widget.proof", sep=".")


class ProofNeeded(DomainError):
    """`data["proof"]`: the challenge."""

    code = "proof_needed"
    status = 403
    message = "Solve the challenge first."


def bits_of(channel: Channel) -> int:
    """From the channel's setting `proof_bits`; 0 is off. 18 take a phone about a second."""
    bits = channel.settings.get("proof_bits", 0)
    return min(bits, MOST_BITS) if isinstance(bits, int) and bits > 0 else 0


def challenge(channel: Channel) -> str:
    bits = bits_of(channel)
    return _signer.sign(f"{bits}-{channel.pk.hex}-{secrets.token_hex(8)}") if bits else ""


def check(channel: Channel, given: str, answer: str) -> None:
    """`answer` is a text for which SHA-256 of `<challenge>:<answer>` begins with so many zero bits. Good for once."""
    bits = bits_of(channel)
    if not bits:
        return
    try:
        wanted, channel_id, _nonce = _signer.unsign(given, max_age=GOOD_FOR).split("-")
    except (BadSignature, ValueError):
        raise ProofNeeded(proof=challenge(channel)) from None
    digest = int.from_bytes(hashlib.sha256(f"{given}:{answer}".encode()).digest())
    if channel_id != channel.pk.hex or int(wanted) < bits or digest >> (256 - bits):
        raise ProofNeeded(proof=challenge(channel))
    count_up("chat-proof", {hashlib.sha256(given.encode()).hexdigest(): 1}, GOOD_FOR)
