"""The issuer's signing key: made once into VAR_DIR and shared by every process there."""

import base64
import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

ALGORITHM = "ES256"
FILE_NAME = "issuer-key.pem"


def sign(claims: dict[str, Any]) -> str:
    key = signing_key()
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": _public(key)["kid"]})


def public_jwks() -> dict[str, Any]:
    return {"keys": [_public(signing_key())]}


def signing_key() -> ec.EllipticCurvePrivateKey:
    return _load(Path(settings.VAR_DIR) / FILE_NAME)


@functools.lru_cache(maxsize=4)
def _load(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        _create(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError(f"{path} does not hold a P-256 key")
    return key


def _create(path: Path) -> None:
    """Whoever links first wins; a process that comes second takes what it finds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    x, y = (_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    kid = hashlib.sha256(f"{x}.{y}".encode()).hexdigest()[:32]
    return {
        "kty": "EC", "crv": "P-256", "alg": ALGORITHM, "use": "sig", "key_ops": ["verify"], "kid": kid,
        "x": x, "y": y, "ext": True,
    }  # fmt: skip


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
