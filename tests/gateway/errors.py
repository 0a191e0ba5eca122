"""Error answers, in the format of the gateway and in the format of an upstream model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: Code → (HTTP status, message). The first code of a status is used for the status without a code.
CODES: dict[str, tuple[int, str]] = {
    "AI_MODEL_PARAM_INVALID": (400, "A parameter is invalid."),
    "AI_MODEL_PARAM_REQUIRED": (400, "A required parameter is missing."),
    "AI_MODEL_CONFIG_MISSING": (400, "The model is not configured in this environment."),
    "INVALID_CREDENTIALS": (401, "The credentials are invalid."),
    "MISSING_CREDENTIALS": (401, "No credentials were given."),
    "ACCESS_TOKEN_INVALID": (401, "The access token is invalid."),
    "ACCESS_TOKEN_EXPIRED": (401, "The access token has expired."),
    "AI_MODEL_NOT_SUPPORTED": (403, "The model is not supported in this environment."),
    "AI_CHANNEL_NOT_ALLOWED": (403, "The plan does not allow this channel."),
    "ACCESS_DENIED": (403, "Access denied."),
    "AI_MODEL_NOT_FOUND": (404, "The model does not exist."),
    "EXCEED_TOKEN_QUOTA_LIMIT": (429, "The token quota is used up."),
    "EXCEED_CONCURRENT_REQUEST_LIMIT": (429, "Too many requests at once."),
    # CloudBase's documentation has no code for these statuses; these names are ours.
    "ENV_SUSPENDED": (402, "The environment is suspended."),
    "ENV_ISOLATED": (423, "The environment is isolated."),
    "ENV_BLOCKED": (451, "The environment is blocked."),
    "INVALID_PATH": (404, "No such path."),
    "METHOD_NOT_ALLOWED": (405, "Only POST is answered here."),
    "PROXY_AUTHENTICATION_REQUIRED": (407, "The proxy wants a password."),
    "REQUEST_TIMEOUT": (408, "The request took too long to arrive."),
    "CONFLICT": (409, "Another request is at work on this."),
    "TOO_LARGE": (413, "The request is too large."),
    "UNPROCESSABLE": (422, "The request cannot be processed."),
    "TOO_EARLY": (425, "The server is not ready for this request yet."),
    "INTERNAL_ERROR": (500, "The server failed."),
    "BAD_GATEWAY": (502, "The model's server cannot be reached."),
    "SERVICE_UNAVAILABLE": (503, "The service is busy."),
    "GATEWAY_TIMEOUT": (504, "The model's server did not answer in time."),
}

_UPSTREAM_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


#: The formats of an error: the gateway's, that of an upstream model, and those of other servers.
FORMS = (
    "gateway", "upstream", "base_resp", "error_msg", "detail", "detail_list", "string", "list",
    "text",
)  # fmt: skip


@dataclass(frozen=True)
class Error:
    """One error answer.

    Args:
        code: One of ``CODES``, or any other word.
        status: The HTTP status; by default the status of the code, or 500.
        message: The message; by default the message of the code.
        upstream: Use the format of an upstream model; the same as this form.
        form: One of ``FORMS``.
    """

    code: str = "INTERNAL_ERROR"
    status: int = 0
    message: str = ""
    upstream: bool = False
    form: str = "gateway"

    def __post_init__(self) -> None:
        status, message = CODES.get(self.code, (500, f"The request failed: {self.code}."))
        object.__setattr__(self, "status", self.status or status)
        object.__setattr__(self, "message", self.message or message)

    @classmethod
    def of_status(cls, status: int) -> Error:
        """Return the error for a status without a code."""
        for code, (known, _) in CODES.items():
            if known == status:
                return cls(code)
        return cls(f"HTTP_{status}", status=status)

    def body(self, request_id: str) -> str:
        """Return the text of the error; JSON, except in the form ``text``."""
        form = "upstream" if self.upstream else self.form
        if form == "text":
            return self.message
        return json.dumps(self._value(form, request_id), ensure_ascii=False)

    def _value(self, form: str, request_id: str) -> Any:
        kind = _UPSTREAM_TYPES.get(self.status, "server_error")
        inner = {"message": self.message, "type": kind, "code": self.code}
        values: dict[str, Any] = {
            "gateway": {"code": self.code, "message": self.message, "requestId": request_id},
            "upstream": {"error": inner},
            "base_resp": {"base_resp": {"status_code": 1004, "status_msg": self.message}},
            "error_msg": {"error_code": 17, "error_msg": self.message},
            "detail": {"detail": self.message},
            "detail_list": {"detail": [{"loc": ["body"], "msg": self.message, "type": "value"}]},
            "string": {"error": self.message},
            "list": [{"error": inner}],
        }
        return values[form]


def html_page(status: int) -> str:
    """Return an error page like that of a proxy in front of the gateway."""
    return (
        f"<html>\r\n<head><title>{status} Error</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} Error</h1></center>\r\n<hr><center>proxy</center>\r\n"
        "<script>document.title = 'the page ran a script'</script>\r\n</body>\r\n</html>\r\n"
    )
