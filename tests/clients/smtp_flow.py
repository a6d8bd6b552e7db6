"""Python's smtplib against a running server: what a script of a department does. Usage: smtp_flow.py DESCRIBE_JSON."""

import json
import smtplib
import ssl
import sys
from email import policy
from email.message import EmailMessage


def letter(sender, to, subject):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject}@client.example>"
    message.set_content("Bonjour à tous,\n.\n..un point au début de la ligne\n")
    return message


def host_and_port(describe, listener):
    host, port = describe["listeners"][listener]["addr"].rsplit(":", 1)
    return host, int(port)


def source(describe, network):
    return (describe["networks"][network]["source"], 0)


def submit_under_starttls(describe, context, person, to):
    host, port = host_and_port(describe, "subm")
    with smtplib.SMTP(host, port, source_address=source(describe, "outside"), timeout=60) as smtp:
        smtp.ehlo("client.example")
        assert not smtp.has_extn("auth"), "no password is asked for before TLS"
        smtp.starttls(context=context)
        smtp.ehlo("client.example")
        assert smtp.has_extn("size") and int(smtp.esmtp_features["size"]) == 20_000_000
        assert set(smtp.esmtp_features["auth"].split()) >= {"PLAIN", "LOGIN"}, smtp.esmtp_features
        smtp.login(person["login"], person["password"])
        refused = smtp.send_message(letter(person["address"], to["address"], "starttls"))
        assert refused == {}, refused
        refused = smtp.sendmail(person["address"], [to["address"], "nobody.at.all@" + describe["domain"]],
                                letter(person["address"], to["address"], "partly").as_bytes(policy=policy.SMTP))
        assert list(refused.values())[0][0] == 550, refused


def submit_under_implicit_tls(describe, context, person, to):
    host, port = host_and_port(describe, "subs")
    with smtplib.SMTP_SSL(host, port, source_address=source(describe, "inside"), context=context, timeout=60) as smtp:
        smtp.ehlo("client.example")
        smtp.user, smtp.password = person["login"], person["password"]
        code, text = smtp.auth("LOGIN", smtp.auth_login)
        assert code == 235, (code, text)
        smtp.send_message(letter(person["address"], to["address"], "implicit"))


def wrong_password_is_refused(describe, context, person):
    host, port = host_and_port(describe, "subs")
    with smtplib.SMTP_SSL(host, port, source_address=source(describe, "inside"), context=context, timeout=60) as smtp:
        try:
            smtp.login(person["login"], person["password"] + "x")
        except smtplib.SMTPAuthenticationError as refusal:
            assert refusal.smtp_code == 535, refusal
        else:
            raise AssertionError("a wrong password was taken")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    context = ssl.create_default_context(cafile=describe["ca"])
    people = {person["login"]: person for person in describe["people"]}
    person, to = people["toto-j"], people["toto-jp"]
    submit_under_starttls(describe, context, person, to)
    submit_under_implicit_tls(describe, context, person, to)
    wrong_password_is_refused(describe, context, person)
    print("smtp_flow: 4 messages, 2 refusals as expected")


if __name__ == "__main__":
    main()
