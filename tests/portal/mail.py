"""Mail as the driver's side sees it: letters that come in, and mailboxes over IMAP."""

import imaplib
import smtplib
import socket


def deliver(server, to, subject, sender="ami@elsewhere.example", text="Bonjour"):
    """A letter from outside."""
    host, port = server.address("mx")
    with smtplib.SMTP(host, port, source_address=server.source("outside"), timeout=60) as smtp:
        smtp.ehlo("client.example")
        letter = (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 12:00:00 +0100\r\n"
                  f"Message-ID: <{abs(hash((to, subject, text)))}@elsewhere.example>\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                  f"{text}\r\n")
        refused = smtp.sendmail(sender, [to], letter.encode(), mail_options=["SMTPUTF8"] if not subject.isascii() else [])
        assert refused == {}, refused


def mailbox(server, login, password, network="outside"):
    """A mail program that is logged in."""

    class FromNetwork(imaplib.IMAP4_SSL):
        """imaplib has no source address of its own."""

        def _create_socket(self, timeout):
            plain = socket.create_connection((self.host, self.port), timeout or 60, source_address=server.source(network))
            return server.tls.wrap_socket(plain, server_hostname=self.host)

    imap = FromNetwork(*server.address("imaps"))
    imap.login(login, password)
    return imap
