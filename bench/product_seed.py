"""The cast of the benchmarks, put into the product's tables by its own models: an agent, a workspace, a channel."""

import json
import sys

import django

CHANNEL = "bench-kapso"
SECRET = "bench-kapso-secret"


def main() -> None:
    django.setup()
    from crm.models import Member, User, UserIdentity, Workspace
    from inbox.models import Channel

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
    cast = {
        "user_id": user.pk,
        "email": user.email,
        "workspace": workspace.slug,
        "workspace_id": workspace.pk,
        "channel": channel.slug,
        "channel_id": channel.pk,
        "secret": SECRET,
    }
    sys.stdout.write(json.dumps({name: str(value) for name, value in cast.items()}) + "\n")


if __name__ == "__main__":
    main()
