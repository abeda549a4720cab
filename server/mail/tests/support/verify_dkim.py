"""Reads a mail from standard input and says whether its DKIM signature holds, as dkimpy understands RFC 6376.

    verify_dkim.py <what the DNS says at the selector>

Prints a JSON object: whether it holds, and the headers that are signed.
"""

import json
import sys

import dkim

mail = sys.stdin.buffer.read()
asked = []


def dns(name, timeout=5):
    asked.append(name.decode())
    return sys.argv[1].encode()


reader = dkim.DKIM(mail)
try:
    holds = reader.verify(dnsfunc=dns)
except dkim.DKIMException as error:
    print(error, file=sys.stderr)
    holds = False
signed = reader.signature_fields.get(b"h", b"").decode().split(":")
print(json.dumps({"holds": holds, "asked": asked, "signed": [name.strip() for name in signed]}))
