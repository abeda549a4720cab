"""Uploads a file with unmodified tuspy, the way someone else's script would.

    tuspy_upload.py <url of /uploads> <cookie header> <file> <key=value>... [--chunk BYTES] [--stop-after BYTES] [--resume ADDRESS]

Prints the upload's address.
"""

import argparse

from tusclient import client

words = argparse.ArgumentParser()
words.add_argument("url")
words.add_argument("cookie")
words.add_argument("file")
words.add_argument("metadata", nargs="*")
words.add_argument("--chunk", type=int, default=1024 * 1024)
words.add_argument("--stop-after", type=int, default=None)
words.add_argument("--resume", default=None)
given = words.parse_args()

tus = client.TusClient(given.url, headers={"Cookie": given.cookie})
uploader = tus.uploader(
    given.file,
    chunk_size=given.chunk,
    metadata=dict(pair.split("=", 1) for pair in given.metadata),
    url=given.resume,
    upload_checksum=True,
    retries=3,
    retry_delay=1,
)
uploader.upload(stop_at=given.stop_after)
print(uploader.url)
