"""Reads a notification on standard input and says as JSON what Python's own parser makes of it."""

import email
import email.policy
import json
import sys

message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = list(message.iter_parts()) if message.is_multipart() else []
if len(parts) != 3:
    sys.exit(f"{len(parts)} parts of {message.get_content_type()}")
blocks = [dict(block.items()) for block in parts[1].get_payload()]
print(
    json.dumps(
        {
            "type": message.get_content_type(),
            "report": message.get_param("report-type"),
            "from": str(message["From"]),
            "to": str(message["To"]),
            "subject": str(message["Subject"]),
            "auto": str(message["Auto-Submitted"]),
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
            "parts": [part.get_content_type() for part in parts],
            "text": parts[0].get_content(),
            "message": blocks[0],
            "recipients": blocks[1:],
        }
    )
)
