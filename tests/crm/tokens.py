"""Tokens signed with the vectors' own keys, for whatever a recorded one cannot show."""

import json
from pathlib import Path
from typing import Any

import jwt
from jwt.api_jws import PyJWS

VECTORS = json.loads((Path(__file__).parent / "vectors" / "supabase_jwt.json").read_text())
NOW = 1763668800
EC_KID, RSA_KID = (key["kid"] for key in VECTORS["jwks"]["keys"])
LEGACY_SECRET = VECTORS["legacy_hs256_secret"]
PRIVATE = {key["kid"]: key for key in VECTORS["private_jwks"]["keys"]}
USUAL: dict[str, Any] = VECTORS["vectors"][0]["claims"]


def claims(*, without: str = "", **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (USUAL | changed).items() if name != without}


def signed(payload: dict[str, Any], *, kid: str = EC_KID, **header: Any) -> str:
    key = jwt.PyJWK(PRIVATE[kid])
    # Not jwt.encode: that refuses some of the claims that an attacker would not
    body = json.dumps(payload).encode()
    return PyJWS().encode(body, key.key, algorithm=PRIVATE[kid]["alg"], headers={"kid": kid, **header})
