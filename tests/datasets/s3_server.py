"""What tests do to the S3 server behind the library's back."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class S3Server:
    """A server that is running."""

    url: str

    def client(self) -> Any:
        """A client that is not ours: boto3's."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    def check_credentials(self, on: bool) -> None:
        """Let it look at keys and signatures, or let anybody in."""
        body, kind = b"0" if on else b"inf", {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"{self.url}/moto-api/reset-auth", data=body, headers=kind, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            json.load(answer)
