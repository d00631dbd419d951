"""Pseudonyms: names of users that only who has the key can tell. Pure; knows a key and ids, no files.

``HMAC-SHA256(key, tag || id)``, its first 128 bits in hexadecimal (RFC 2104, FIPS 198-1). Without the key a pseudonym
is no more than a random number: nobody can try out ids, and pseudonyms of two keys cannot be told to be of one user.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

BITS = 128
"""Of a pseudonym: among a billion users two share one with a probability of 1.5e-21."""
TAG = b"profile-engine user\0"
"""Begins what is hashed, so that a key that is used elsewhere too gives other numbers there."""


def pseudonym(user_id: str, key: bytes) -> str:
    """The pseudonym of one user: `BITS` / 4 hexadecimal digits."""
    return hmac.digest(key, TAG + user_id.encode(), "sha256")[: BITS // 8].hex()


def pseudonyms(user_ids: Iterable[str], key: bytes) -> list[str]:
    """The pseudonyms of some users, in their order."""
    return [pseudonym(user_id, key) for user_id in user_ids]
