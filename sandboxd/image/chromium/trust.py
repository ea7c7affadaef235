"""Tells Chromium, which reads no bundle, of the certificate authorities that the sandbox is to trust: as a policy."""

import json
import os
import re

GIVEN = "/run/sandboxd/ca-certificates.crt"
USUAL = "/etc/ssl/certs/ca-certificates.crt"
# /etc/chromium/policies/managed leads here, since only root may write there.
POLICY = "/run/sandboxd/chromium-policy.json"
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def certificates(path):
    try:
        with open(path) as file:
            return {re.sub(r"\s", "", body): None for body in CERTIFICATE.findall(file.read())}
    except FileNotFoundError:
        return {}


usual = certificates(USUAL)
more = [body for body in certificates(GIVEN) if body not in usual]
draft = f"{POLICY}.{os.getpid()}"
with open(draft, "w") as file:
    json.dump({"CACertificates": more} if more else {}, file)
os.replace(draft, POLICY)
