"""A DNS server that answers from what it is given, over UDP and TCP. Prints one JSON object per line: first the port it
listens on, then each question it was asked.

    dns_server.py <zone>

The zone is a JSON object of names (without the last dot): each either an object of record types, or "servfail",
"refused" or "silence". Of a TXT record each string is an item of a list. Other names do not exist.
"""

import json
import sys
import threading

from dnslib import A, AAAA, CNAME, MX, QTYPE, RCODE, RR, TXT, DNSError, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSServer

zone = json.loads(sys.argv[1])
DATA = {
    "A": A,
    "AAAA": AAAA,
    "CNAME": CNAME,
    "MX": lambda host: MX(host, 10),
    "TXT": lambda strings: TXT([string.encode() for string in strings]),
}
lock = threading.Lock()


def say(**event):
    with lock:
        print(json.dumps(event), flush=True)


class Resolver(BaseResolver):
    def resolve(self, request, handler):
        name = str(request.q.qname).rstrip(".").lower()
        kind = QTYPE[request.q.qtype]
        say(event="question", name=name, kind=kind)
        reply = request.reply()
        here = zone.get(name)
        if here == "silence":
            # The port stays open: the asker cannot tell this from a lost datagram.
            raise DNSError("silence")
        if here in ("servfail", "refused"):
            reply.header.rcode = getattr(RCODE, here.upper())
        elif here is None:
            reply.header.rcode = RCODE.NXDOMAIN
        else:
            kinds = [kind, "CNAME"] if kind != "CNAME" else [kind]
            for found in kinds:
                for value in here.get(found, []):
                    reply.add_answer(RR(request.q.qname, getattr(QTYPE, found), rdata=DATA[found](value), ttl=60))
        return reply


class Quiet:
    def __getattr__(self, name):
        return lambda *_: None


class Handler(DNSHandler):
    def get_reply(self, data):
        reply = super().get_reply(data)
        if self.protocol == "tcp" or len(reply) <= 512:
            return reply
        # What is longer is asked for again over TCP (RFC 1035 section 4.2.1). dnslib's own `udplen` leaves out the
        # question, and askers drop such an answer.
        cut = DNSRecord.parse(data).reply()
        cut.header.tc = 1
        return cut.pack()


def servers():
    while True:
        udp = DNSServer(Resolver(), address="127.0.0.1", port=0, handler=Handler, logger=Quiet())
        port = udp.server.server_address[1]
        try:
            return udp, port, DNSServer(Resolver(), address="127.0.0.1", port=port, tcp=True, handler=Handler, logger=Quiet())
        except OSError:
            # Somebody else has this port for TCP.
            udp.server.server_close()


udp, port, tcp = servers()
tcp.start_thread()
say(event="listening", port=port)
udp.start()
