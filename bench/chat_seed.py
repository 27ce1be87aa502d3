"""Visitors who are in a chat already, put into the product by its own services."""

import json
import sys

import django


def main() -> None:
    django.setup()
    from crm.actors import Visitor as Guest
    from crm.models import Workspace
    from inbox.models import Channel
    from inbox.services.chats.starting import start_chat
    from inbox.services.chats.visitors import About, admit_visitor

    wanted = json.loads(sys.stdin.readline())
    workspace = Workspace.objects.get(slug="bench")
    channel = Channel.objects.create(workspace=workspace, slug="bench-widget", kind="widget", name="Bench")
    visitors = []
    for place in range(wanted["visitors"]):
        visitor, token = admit_visitor(channel=channel, about=About(name=f"Visitor {place}"))
        chat, _ = start_chat(guest=Guest(visitor.pk, workspace.pk, channel.pk), channel=channel)
        visitors.append([str(chat.pk), token])
    sys.stdout.write(json.dumps({"visitors": visitors}) + "\n")


if __name__ == "__main__":
    main()
