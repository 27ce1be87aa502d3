"""Who asks: a visitor by the token of their widget, else a signed-in user."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from crm.actors import Customer, Guest
from crm.identity.requests import signed_in_user
from inbox.chats import tokens


class ChatView(APIView):
    permission_classes = (AllowAny,)

    def guest(self, request: Request) -> Guest:
        visitor = tokens.visitor_behind(request._request)
        if visitor is not None:
            return tokens.actor_of(visitor)
        user = signed_in_user(request._request)
        return Customer(user.pk, user.display_name, user.email)
