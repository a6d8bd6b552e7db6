"""dkimpy on a message whose Subject got a tag: its body is as it was signed, and without the tag the signature verifies.

Usage: dkim_tagged.py RECORD STORED CAME. RECORD is the key's record, STORED the message as it was kept, CAME the same with
the tag and our fields taken off.
"""

import pathlib
import sys

import dkim


def main():
    record = sys.argv[1].encode()
    stored, came = (dkim.DKIM(pathlib.Path(path).read_bytes()) for path in sys.argv[2:4])

    def ask(name, timeout=5):
        return record

    # A body of another hash is an error of its own, raised before the header is looked at.
    if stored.verify(dnsfunc=ask):
        sys.exit("the tagged Subject cannot be what was signed")
    if not came.verify(dnsfunc=ask):
        sys.exit("without the tag it does not verify")


main()
