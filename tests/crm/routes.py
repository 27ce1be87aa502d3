"""Addresses for tests of what stands before every view."""

import threading
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework import serializers
from rest_framework.exceptions import NotAcceptable, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Conflict, NotFound, TooMany, Unavailable
from config.urls import urlpatterns as product
from crm.identity.exempt import without_identity
from crm.pages import signed_in

ERRORS = {
    "conflict": Conflict("Taken.", arrived=[1], status="not this one"),
    "too-many": TooMany(retry_after=2.4),
    "not-found": NotFound(),
    "unavailable": Unavailable(),
    "http404": Http404("secret path"),
    "denied": PermissionDenied("secret reason"),
    "suspicious": SuspiciousOperation("secret value"),
    "too-big": RequestDataTooBig("secret size"),
    "database": OperationalError("secret host"),
    "throttled": Throttled(wait=3.2),
    "not-acceptable": NotAcceptable(),
    "unexpected": RuntimeError("secret trace"),
}


def _who(request: Any) -> dict[str, Any]:
    identity, actor = request.identity, request.actor
    return {
        "user": str(request.user.pk) if request.user.is_authenticated else None,
        "via": identity and identity.via,
        "role": actor and actor.role,
        "workspace": actor and str(actor.workspace_id),
        "thread": threading.get_ident(),
        "in_transaction": connection.in_atomic_block,
    }


def who(request: HttpRequest, workspace: str | None = None) -> HttpResponse:
    return JsonResponse(_who(request))


async def who_later(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": str(request.user.pk) if request.user.is_authenticated else None})


@without_identity
def exempt(request: HttpRequest) -> HttpResponse:
    return JsonResponse(_who(request))


@csrf_exempt
def written_without_csrf(request: HttpRequest) -> HttpResponse:
    return JsonResponse(_who(request))


@signed_in
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


def fail(request: HttpRequest, name: str) -> HttpResponse:
    raise ERRORS[name]


class Body(serializers.Serializer[Any]):
    count = serializers.IntegerField()


class Write(APIView):
    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk), "role": None})

    def post(self, request: Request, workspace: str | None = None) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(body.data)


class Public(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})


class Fail(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]


tested = [
    path("who", who),
    path("who-later", who_later),
    path("w/<slug:workspace>/who", who),
    path("write", Write.as_view()),
    path("w/<slug:workspace>/write", Write.as_view()),
    path("public", Public.as_view()),
    path("exempt", csrf_exempt(exempt)),
    path("plain-write", require_POST(written_without_csrf)),
    path("guarded-write", require_POST(who)),
    path("fail/<name>", fail),
    path("drf-fail/<name>", Fail.as_view()),
]
urlpatterns = [
    path("api/test/", include(tested)),
    path("pages/", include([*tested, path("page", page)])),
    *product,
]
