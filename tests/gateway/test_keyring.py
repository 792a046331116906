"""The gateway's own secrets: private files, made on loopback only."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.keyring import PEPPER_FILE, SIGNING_KEY_FILE, load_keyring
from serving.secrets import BadSecret


def test_on_loopback_secrets_are_made_once_and_only_the_owner_can_read_them(tmp_path):
    first = load_keyring(tmp_path / "data", may_create=True)
    again = load_keyring(tmp_path / "data", may_create=True)

    assert first.signing_key.public_key() == again.signing_key.public_key()
    assert first.pseudonym("MRN 1") == again.pseudonym("MRN 1")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert modes == {SIGNING_KEY_FILE: 0o600, PEPPER_FILE: 0o600}


def test_elsewhere_a_missing_secret_stops_the_start_and_says_which(tmp_path):
    with pytest.raises(BadSecret, match=PEPPER_FILE):
        load_keyring(tmp_path, may_create=False)


def test_secrets_may_lie_elsewhere(tmp_path):
    load_keyring(tmp_path / "a", may_create=True)

    moved = load_keyring(
        tmp_path / "b",
        may_create=False,
        signing_key_file=tmp_path / "a" / SIGNING_KEY_FILE,
        pepper_file=tmp_path / "a" / PEPPER_FILE,
    )

    assert moved.pseudonym("x") == load_keyring(tmp_path / "a", may_create=False).pseudonym("x")


def test_a_secret_that_others_can_write_is_refused(tmp_path):
    load_keyring(tmp_path, may_create=True)
    (tmp_path / PEPPER_FILE).chmod(0o622)

    with pytest.raises(BadSecret, match="0600"):
        load_keyring(tmp_path, may_create=False)


def test_only_an_unencrypted_ed25519_key_signs(tmp_path):
    load_keyring(tmp_path, may_create=True)
    path = tmp_path / SIGNING_KEY_FILE
    path.write_text("no key")
    with pytest.raises(BadSecret, match="no unencrypted PEM"):
        load_keyring(tmp_path, may_create=False)

    curve = generate_private_key(SECP256R1())
    path.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(BadSecret, match="no Ed25519"):
        load_keyring(tmp_path, may_create=False)


def test_a_pseudonym_needs_the_pepper_and_a_keyring_shows_no_secret(tmp_path):
    one = load_keyring(tmp_path / "a", may_create=True)
    two = load_keyring(tmp_path / "b", may_create=True)

    assert one.pseudonym("MRN 1") != two.pseudonym("MRN 1")
    assert one.pseudonym("MRN 1") != one.pseudonym("MRN 2")
    assert repr(one) == "Keyring()"
