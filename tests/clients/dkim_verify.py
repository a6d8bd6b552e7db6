"""dkimpy on what left: every message of a folder must have our two signatures on top, and both must verify.

Usage: dkim_verify.py RECORDS FOLDER. RECORDS is what `facteur dns --format json` says. Names what does not verify.
"""

import json
import pathlib
import re
import sys

import dkim


def zone(path):
    """Names with their TXT records, as dkimpy asks for them."""
    texts = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "dns_record" and record["type"] == "TXT":
            texts[record["name"] + "."] = "".join(re.findall(r'"([^"]*)"', record["data"])).encode()
    return texts


def failures(message, ask):
    """What is wrong with the two signatures on top."""
    for index, algorithm in enumerate([b"rsa-sha256", b"ed25519-sha256"]):
        try:
            signature = dkim.DKIM(message)
            named = [value for name, value in signature.headers if name.lower() == b"dkim-signature"]
            if len(named) <= index or b"a=" + algorithm not in named[index]:
                yield f"no signature by {algorithm.decode()}"
            elif not signature.verify(idx=index, dnsfunc=ask):
                yield f"{algorithm.decode()} does not verify"
        except Exception as error:
            yield f"{algorithm.decode()}: {error!r}"


def main():
    texts = zone(pathlib.Path(sys.argv[1]))

    def ask(name, timeout=5):
        return texts.get(name.decode() if isinstance(name, bytes) else name)

    files = sorted(pathlib.Path(sys.argv[2]).iterdir())
    wrong = 0
    for file in files:
        for failure in failures(file.read_bytes(), ask):
            wrong += 1
            print(f"{file.name}: {failure}")
    print(f"{len(files)} messages, {wrong} failures")
    sys.exit(1 if wrong or not files else 0)


main()
