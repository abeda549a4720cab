"""A mail server that answers as the recipient's name says. Prints one JSON object per line: first the port it listens
on, then each recipient and each mail it was given.

    smtp_server.py [--refuse-password]
"""

import asyncio
import base64
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult

# What is said to a recipient, by the part of the address before the `@`.
ANSWERS = {
    "unknown": "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table",
    "full": "552 5.2.2 The recipient's inbox is out of storage space",
    "blocked": "550-5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent.\r\n"
    "550 5.7.1 Please ask postmaster@{domain} for help",
    "plain": "550 no mailbox here by that name",
    "too-many": "450 4.7.28 Our system has detected an unusual rate of mail from you",
    "closing": "421 4.3.2 System going down",
}


def say(**event):
    print(json.dumps(event), flush=True)


class Handler:
    def __init__(self):
        self.seen = set()

    def is_first(self, name):
        is_first = name not in self.seen
        self.seen.add(name)
        return is_first

    async def handle_RCPT(self, server, session, envelope, address, options):
        say(event="recipient", mail_from=envelope.mail_from, to=address)
        name, _, domain = address.partition("@")
        if name in ANSWERS:
            return ANSWERS[name].format(address=address, domain=domain)
        if name == "greylisted" and self.is_first(address):
            return f"451 4.7.1 <{address}>: Recipient address rejected: Greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        content = base64.b64encode(envelope.original_content).decode()
        say(event="mail", mail_from=envelope.mail_from, to=envelope.rcpt_tos, content=content)
        if envelope.rcpt_tos[0].startswith("dropped@") and self.is_first("dropped"):
            server.transport.abort()
        return "250 2.0.0 OK: queued"


def refuse_password(server, session, envelope, mechanism, data):
    return AuthResult(success=False, handled=False)


async def main():
    handler = Handler()
    auth = {"authenticator": refuse_password, "auth_require_tls": False} if "--refuse-password" in sys.argv else {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, **auth), "127.0.0.1", 0)
    say(event="listening", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
