"""Codes as an application on a telephone computes them: RFC 6238, with the figures of RFC 4226."""

import base64
import hashlib
import hmac
import struct
import time


def step():
    return int(time.time()) // 30


def code(secret, at):
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", at), hashlib.sha1).digest()
    start = digest[19] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7fffffff) % 1_000_000:06}"
