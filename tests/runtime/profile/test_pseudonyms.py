"""Keyed names of users."""

from __future__ import annotations

import hashlib
import hmac

from engine_runtime.profile.pseudonyms import BITS, pseudonym, pseudonyms

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_a_key_gives_stable_names() -> None:
    """The same key gives a user the same name every time, whoever else is named beside them."""
    assert pseudonyms(["a", "b", "Ä"], KEY) == [pseudonym(name, KEY) for name in ("a", "b", "Ä")]
    assert len(set(pseudonyms(map(str, range(1000)), KEY))) == 1000


def test_another_key_gives_other_names() -> None:
    """No name of one key is among those of another."""
    ids = [str(number) for number in range(1000)]
    assert set(pseudonyms(ids, KEY)).isdisjoint(pseudonyms(ids, OTHER))


def test_the_name_is_the_hmac_of_the_standard() -> None:
    """Written out by the definition (RFC 2104), the name is the same; it has 128 bits."""
    inner = bytes(byte ^ 0x36 for byte in KEY.ljust(64, b"\0"))
    outer = bytes(byte ^ 0x5C for byte in KEY.ljust(64, b"\0"))
    message = b"profile-engine user\0" + b"u1"
    expected = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).hexdigest()[: BITS // 4]
    assert pseudonym("u1", KEY) == expected
    assert pseudonym("u1", KEY) != hmac.digest(KEY, b"u1", "sha256")[:16].hex()
