"""The cast of the benchmarks, put into the product's tables by its own models: an agent, a workspace, a channel."""

import json
import sys

import django
from provider_requests import TWILIO_TOKEN

CHANNEL = "bench-kapso"
SECRET = "bench-kapso-secret"


def main() -> None:
    django.setup()
    from crm.models import Member, User, UserIdentity, Workspace
    from inbox.models import Channel
    from proctoring.models import Leaderboard

    user = User.objects.create(name="Ben", email="ben@bench.example")
    UserIdentity.objects.create(user=user, provider="supabase", subject=str(user.pk))
    workspace = Workspace.objects.create(slug="bench", name="Bench")
    Member.objects.create(workspace=workspace, user=user, role="agent")
    channel = Channel.objects.create(
        workspace=workspace,
        slug=CHANNEL,
        kind="kapso",
        name="Bench",
        identifier="100000000000009",
        phone="+15550100009",
        credentials={"api_key": "none", "webhook_secrets": [SECRET]},
    )
    twilio = Channel.objects.create(
        workspace=workspace,
        slug="bench-twilio",
        kind="twilio",
        name="Bench",
        identifier="AC00000000000000000000000000000009",
        phone="+15550100008",
        credentials={"auth_tokens": [TWILIO_TOKEN]},
    )
    Leaderboard.objects.create(workspace=workspace, quiz_code="BENCH1", name="Bench")
    cast = {
        "user_id": user.pk,
        "email": user.email,
        "workspace": workspace.slug,
        "workspace_id": workspace.pk,
        "channel": channel.slug,
        "channel_id": channel.pk,
        "secret": SECRET,
        "twilio": twilio.slug,
    }
    sys.stdout.write(json.dumps({name: str(value) for name, value in cast.items()}) + "\n")


if __name__ == "__main__":
    main()
