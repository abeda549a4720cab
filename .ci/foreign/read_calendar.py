"""Reads a calendar from standard input and prints what it understood: RFC 5545 as somebody else reads it."""

import json
import sys

from icalendar import Calendar

calendar = Calendar.from_ical(sys.stdin.buffer.read())
events = [component for component in calendar.walk("VEVENT")]
alarms = [component for component in calendar.walk("VALARM")]
print(
    json.dumps(
        {
            "method": str(calendar["METHOD"]),
            "product": str(calendar["PRODID"]),
            "errors": [str(error) for event in events for error in event.errors],
            "events": [
                {
                    "uid": str(event["UID"]),
                    "sequence": int(event["SEQUENCE"]),
                    "summary": str(event["SUMMARY"]),
                    "url": str(event["URL"]),
                    "class": str(event["CLASS"]),
                    "starts_at": event["DTSTART"].dt.isoformat(),
                    "minutes": (event["DTEND"].dt - event["DTSTART"].dt).total_seconds() / 60,
                }
                for event in events
            ],
            "alarms": [alarm["TRIGGER"].dt.total_seconds() / 60 for alarm in alarms],
        }
    )
)
