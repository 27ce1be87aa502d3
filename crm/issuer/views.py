"""`/auth/v1/` of the demo: the part of Supabase Auth's REST that an unmodified client needs to sign in and stay in."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from config.errors import TooMany
from crm.identity import addresses, trust
from crm.identity.exempt import without_identity
from crm.identity.throttle import PasswordTry
from crm.issuer import accounts, keys, sessions, shapes
from crm.issuer.errors import IssuerError, OAuthError
from crm.issuer.sessions import Scope
from crm.models import IssuerSession

LARGEST_BODY = 64 * 1024
JWKS_SECONDS = 600
METHODS = "GET, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Type, X-Client-IP, X-Client-Info, X-Supabase-Api-Version, apikey, X-JWT-AUD"
)
# Without the version among them auth-js in a browser cannot see it and loses every error code.
EXPOSED_HEADERS = "X-Total-Count, Link, X-Supabase-Api-Version, x-sb-error-code"
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
# Decorated, its first argument is positional only to the type checker.
Endpoint = Callable[..., HttpResponse]


def endpoint(*methods: str) -> Callable[[View[P]], Endpoint]:
    """Not there unless we are the issuer; open to every origin, since nothing here reads a cookie."""

    def decorate(view: View[P]) -> Endpoint:
        @csrf_exempt
        @without_identity
        @wraps(view)
        def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not trust.is_own_issuer():
                raise Http404
            try:
                response = _answered(request, methods, lambda: view(request, *args, **kwargs))
            except IssuerError as refused:
                response = shapes.error(request, refused)
            return _open(response)

        return answer

    return decorate


def _answered(request: HttpRequest, methods: tuple[str, ...], view: Callable[[], HttpResponse]) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(
            status=204,
            headers={
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": "600",
            },
        )
    if request.method not in methods:
        raise IssuerError(405, "validation_failed", "Method not allowed")
    return view()


def _open(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "no-store"
    return response


@endpoint("GET")
def jwks(request: HttpRequest) -> HttpResponse:
    return JsonResponse(keys.public_jwks(), headers={"Cache-Control": f"public, max-age={JWKS_SECONDS}"})


@endpoint("GET")
def openid_configuration(request: HttpRequest) -> HttpResponse:
    issuer = trust.auth_url()
    return JsonResponse(
        {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/user",
            "grant_types_supported": ["password", "refresh_token"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [keys.ALGORITHM],
        }
    )


@endpoint("GET")
def settings(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "external": {"email": True, "phone": False, "anonymous_users": False},
            "disable_signup": True,
            "mailer_autoconfirm": True,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


@endpoint("GET")
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"name": "Switchboard demo issuer", "version": shapes.API_VERSION, "description": __doc__})


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    grants = {"password": _by_password, "refresh_token": _by_refresh_token}
    grant = grants.get(request.GET.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant_type must be password or refresh_token")
    return JsonResponse(shapes.session(grant(request, _body(request))))


def _by_password(request: HttpRequest, body: dict[str, Any]) -> sessions.Issued:
    email, password = body.get("email"), body.get("password")
    if not accounts.is_text(email) or not accounts.is_text(password) or not email.strip():
        raise IssuerError(400, "validation_failed", "missing email or phone")
    attempt = PasswordTry(source=addresses.source(request), email=email)
    try:
        attempt.begin()
    except TooMany:
        raise IssuerError(429, "over_request_rate_limit", "Request rate limit reached") from None
    issued = sessions.sign_in(email, password)
    attempt.succeeded()
    return issued


def _by_refresh_token(request: HttpRequest, body: dict[str, Any]) -> sessions.Issued:
    given = body.get("refresh_token")
    if not isinstance(given, str) or not given:
        raise OAuthError("invalid_request", "refresh_token required")
    return sessions.refresh(given)


@endpoint("GET", "PUT")
def user(request: HttpRequest) -> HttpResponse:
    session = _session(request)
    account = session.account
    if request.method == "PUT":
        account = _changed(session, _body(request))
    return JsonResponse(shapes.user(account))


def _changed(session: IssuerSession, body: dict[str, Any]) -> Any:
    password, data = body.get("password") or None, body.get("data")
    if password is not None and not accounts.is_text(password):
        raise IssuerError(400, "validation_failed", "password must be text")
    if data is not None and not isinstance(data, dict):
        raise IssuerError(400, "validation_failed", "data must be an object")
    if body.get("email") and accounts.normalised(str(body["email"])) != session.account.email:
        # No mail goes out here, so nobody could prove that the new address is theirs.
        raise IssuerError(422, "email_provider_disabled", "E-mail changes are disabled")
    if body.get("phone"):
        raise IssuerError(422, "phone_provider_disabled", "Phone sign-ins are disabled")
    return accounts.update_account(session=session, password=password, data=data)


@endpoint("POST")
def logout(request: HttpRequest) -> HttpResponse:
    try:
        scope = Scope(request.GET.get("scope", Scope.GLOBAL))
    except ValueError:
        raise IssuerError(400, "validation_failed", "Unsupported logout scope") from None
    sessions.sign_out(_session(request), scope)
    return HttpResponse(status=204)


@endpoint("POST")
def signup(request: HttpRequest) -> HttpResponse:
    raise IssuerError(422, "signup_disabled", "Signups not allowed for this instance")


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def anything_else(request: HttpRequest, path: str) -> HttpResponse:
    raise IssuerError(404, "validation_failed", "Not part of this issuer")


def _session(request: HttpRequest) -> IssuerSession:
    bearer = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if bearer is None:
        raise IssuerError(401, "no_authorization", "This endpoint requires a valid Bearer token")
    return sessions.session_of(bearer[1])


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        if len(request.body) > LARGEST_BODY:
            raise RequestDataTooBig
        body = json.loads(request.body or b"{}")
    except RequestDataTooBig:
        raise IssuerError(413, "validation_failed", "Request body too large") from None
    except (ValueError, RecursionError):
        raise IssuerError(400, "bad_json", "Could not parse request body as JSON") from None
    if not isinstance(body, dict):
        raise IssuerError(400, "bad_json", "Could not parse request body as JSON")
    return body
