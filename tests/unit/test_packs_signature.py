"""Signatures of packs: the owner of a key, and nobody else, can have made them."""

import sys
from pathlib import Path

import pytest
from pack_archives import tiny, zipped

from mltranslate import locations
from mltranslate.cli.main import main
from mltranslate.errors import MltError, PackError, UsageError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.archive import write_archive
from mltranslate.packs.install import install_pack
from mltranslate.packs.signature import check_signature, sign_manifest, verify_signature


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "packs"
    monkeypatch.setattr(locations, "user_packs", lambda: place)
    return place


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name, data in tiny().items():
        (folder / name).write_bytes(data)
    return read_pack(folder)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public key."""
    return new_keys(tmp_path, "key")


def new_keys(folder: Path, name: str, passphrase: bytes = b"") -> tuple[Path, Path]:
    pytest.importorskip("cryptography", reason="signatures need the extra `sign`")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    lock = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    private, public = folder / f"{name}.pem", folder / f"{name}.public.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(pem, form, lock))
    form_public = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(pem, form_public))
    return private, public


def test_a_signed_pack_is_installed_and_verified(
    pack: Pack, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    file = tmp_path / "signed.zip"
    write_archive(pack, file, key=private)
    installed = install_pack(file, key=public)
    verify_signature(installed.folder, public)
    again = tmp_path / "again.zip"
    write_archive(installed, again)
    assert again.read_bytes() == file.read_bytes()


def test_an_unsigned_pack_is_refused(
    pack: Pack, keys: tuple[Path, Path], tmp_path: Path, store: Path
) -> None:
    file = tmp_path / "unsigned.zip"
    write_archive(pack, file)
    with pytest.raises(PackError, match="not signed"):
        install_pack(file, key=keys[1])
    assert list(store.iterdir()) == []
    with pytest.raises(PackError, match="not signed"):
        verify_signature(pack.folder, keys[1])


def test_another_key_is_refused(pack: Pack, keys: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "signed.zip"
    write_archive(pack, file, key=keys[0])
    _, stranger = new_keys(tmp_path, "stranger")
    with pytest.raises(PackError, match="signature of the pack is refused"):
        install_pack(file, key=stranger)


def test_a_changed_manifest_is_refused(keys: tuple[Path, Path], tmp_path: Path) -> None:
    signature = sign_manifest(tiny()["manifest.json"], keys[0])
    files = {**tiny(version="6.6.6"), "manifest.json.sig": signature}
    file = tmp_path / "changed.zip"
    file.write_bytes(zipped(files.items()))
    with pytest.raises(PackError, match="signature of the pack is refused"):
        install_pack(file, key=keys[1])


def test_a_damaged_signature_is_refused(pack: Pack, keys: tuple[Path, Path]) -> None:
    (pack.folder / "manifest.json.sig").write_bytes(b"short")
    with pytest.raises(PackError, match="64 bytes"):
        verify_signature(pack.folder, keys[1])


def test_keys_of_the_wrong_kind_are_refused(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    locked, _ = new_keys(tmp_path, "locked", b"secret")
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"\xff\x00")
    for key in (public, locked, noise, tmp_path, tmp_path / "none.pem"):
        with pytest.raises(UsageError, match="cannot be used"):
            sign_manifest(b"{}", key)
    for key in (private, noise, tmp_path, tmp_path / "none.pem"):
        with pytest.raises(UsageError, match="cannot be used"):
            check_signature(b"{}", bytes(64), key)


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="signatures need the extra `sign`")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    file = tmp_path / "x25519.pem"
    pem, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    file.write_bytes(X25519PrivateKey.generate().public_key().public_bytes(pem, form))
    with pytest.raises(UsageError, match="no Ed25519 key"):
        check_signature(b"{}", bytes(64), file)


def test_the_commands_sign_and_demand_signatures(
    pack: Pack, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = map(str, keys)
    signed, plain = str(tmp_path / "signed.zip"), str(tmp_path / "plain.zip")
    assert main(["packs", "export", str(pack.folder), signed, "--sign", private]) == 0
    assert main(["packs", "export", str(pack.folder), plain]) == 0
    assert main(["packs", "install", plain, "--key", public]) == 3
    assert main(["packs", "install", signed, "--key", public]) == 0
    assert main(["packs", "verify", "tiny", "--key", public]) == 0
    assert main(["packs", "verify", str(pack.folder), "--key", public]) == 3
    assert main(["packs", "verify", "tiny", "--key", private]) == 2
    assert "not signed" in capsys.readouterr().err


def test_without_the_library_signatures_are_refused_in_words(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    file = tmp_path / "tiny.zip"
    with pytest.raises(MltError, match="pip install cryptography") as caught:
        write_archive(pack, file, key=tmp_path / "key.pem")
    assert caught.value.exit_code == 1
    assert not file.exists()
    write_archive(pack, file)
    with pytest.raises(MltError, match="cryptography is not installed"):
        install_pack(file, key=tmp_path / "key.pem")
    assert install_pack(file).name == "tiny"
