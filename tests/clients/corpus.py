"""Messages of the shared corpus, as the tests of real clients use them. Python standard library only.

The corpus is optional: `find_corpus` answers None when it is absent, and the caller skips with a printed line.
"""

import os
import pathlib
import subprocess
import tempfile

# What stands beside the messages: what a library made of them, and material that is no message.
NOT_MESSAGES_BY_SUFFIX = {
    ".json", ".xml", ".out", ".golden",          # opinions of parsers
    ".tnef", ".dat", ".odt", ".jpg", ".b64", ".uu", ".html",  # attachments and bodies
}
NOT_MESSAGES_BY_PATH = (
    "_decoded_",                        # mime4j: bodies of parts
    "gmime/",                     # key material, encodings, an mbox of many messages: nothing is one message
    "mimekit/tnef/",                    # TNEF and what is inside
    "mailcore2/parser/output/",         # JSON under the name of the message
    "mailcore2/charset-detection/",     # plain text
    "opensearch/src/test/resources/eml/htmlContent.txt",  # plain text
    "spam/bsmtp",                       # a batch of SMTP commands
    "mbox/simple.mbox.txt", "thunderbird/mbox_unquoted", "thunderbird/mbox_mboxrd",  # mailbox files of several messages
)


def find_corpus():
    """The folder of the corpus: FACTEUR_CORPUS, else ../shared/corpus beside the workspace; None when absent."""
    workspace = pathlib.Path(__file__).resolve().parent.parent.parent
    folder = pathlib.Path(os.environ.get("FACTEUR_CORPUS") or workspace.parent / "shared" / "corpus")
    return folder if (folder / "mime").is_dir() else None


def to_crlf(raw):
    """Every line end, LF or CRLF, becomes CRLF. A bare CR is no line end and stays."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def corpus_messages(corpus_dir):
    """Yields (name, bytes) for each message of `mime/`, with CRLF line ends, in order of name.

    The name is the path inside the archives, `archive/folder/file`.
    """
    with tempfile.TemporaryDirectory(prefix="facteur-corpus-") as scratch:
        for archive in sorted(pathlib.Path(corpus_dir, "mime").glob("*.tar.zst")):
            # Python has no zstd before 3.14.
            subprocess.run(["tar", "--zstd", "-xf", str(archive), "-C", scratch], check=True)
        files = sorted(path for path in pathlib.Path(scratch).rglob("*") if path.is_file())
        for path in files:
            name = path.relative_to(scratch).as_posix()
            if is_message(name):
                yield name, to_crlf(path.read_bytes())


def is_message(name):
    if pathlib.PurePosixPath(name).suffix.lower() in NOT_MESSAGES_BY_SUFFIX:
        return False
    return not any(piece in name for piece in NOT_MESSAGES_BY_PATH)
