"""Ed25519 signatures (RFC 8032) of manifests, by the optional library cryptography.

A signature is 64 bytes over the manifest as it stands in the file; the manifest has the SHA-256 of
every member, so that it covers the whole pack.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltranslate.errors import MltError, PackError, UsageError, reason
from mltranslate.packs.manifest import MANIFEST_NAME, SIGNATURE_NAME
from mltranslate.packs.pack import read_file, read_manifest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SIGNATURE_BYTES = 64


def sign_manifest(manifest: bytes, key: Path) -> bytes:
    """Sign the bytes of a manifest with a private key in PEM.

    Raises UsageError where the key cannot be used, MltError where cryptography is missing.
    """
    signature: bytes = _private_key(key).sign(manifest)
    return signature


def check_signature(manifest: bytes, signature: bytes | None, key: Path) -> None:
    """Raise `PackError` unless the owner of the public key (PEM) signed this manifest.

    Raises UsageError where the key cannot be used, MltError where cryptography is missing.
    """
    public = _public_key(key)
    from cryptography.exceptions import InvalidSignature

    if signature is None:
        raise PackError(
            "the pack is not signed",
            why=f"it has no {SIGNATURE_NAME}",
            fix="Get it from the owner of the key, or leave --key away if you trust the pack",
        )
    try:
        public.verify(signature, manifest)
    except InvalidSignature as error:
        raise PackError(
            "the signature of the pack is refused",
            why=f"{key} does not belong to it, or {MANIFEST_NAME} was changed",
            fix="Get the pack from a source that you trust",
        ) from error


def verify_signature(folder: Path, key: Path) -> None:
    """Check the signature of the pack in `folder`; raises as `check_signature` does."""
    check_signature(read_manifest(folder), read_signature(folder), key)


def read_signature(folder: Path) -> bytes | None:
    """Signature that lies beside the manifest, None if there is none; `PackError` if damaged."""
    path = folder / SIGNATURE_NAME
    if not os.path.lexists(path):
        return None
    signature = read_file(path, SIGNATURE_BYTES + 1)
    if len(signature) != SIGNATURE_BYTES:
        raise PackError(
            f"{path} is damaged",
            why=f"a signature has {SIGNATURE_BYTES} bytes",
            fix="Get the pack again",
        )
    return signature


def _public_key(path: Path) -> Ed25519PublicKey:
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = _load(path, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, "it is no Ed25519 key")
    return key


def _private_key(path: Path) -> Ed25519PrivateKey:
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = _load(path, lambda data: load_pem_private_key(data, password=None))
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is no Ed25519 key")
    return key


def _load(path: Path, parse: Any) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise _unusable(path, reason(error)) from error
    except TypeError as error:
        raise _unusable(path, "a passphrase protects it, and none is asked for") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(path, "it is no such key in PEM") from error


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the key {path} cannot be used",
        why=why,
        fix="Checking needs an Ed25519 public key in PEM, signing a private one (docs/packs.md)",
    )


def _require_library() -> None:
    try:
        import cryptography  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MltError(
            "signatures cannot be made or checked",
            why="the library cryptography is not installed",
            fix="Install it with: pip install cryptography",
        ) from error
