"""Where the official JavaScript SDK sends the requests for each provider."""

from __future__ import annotations

PATHS = {
    "cloudbase": "cloudbase/chat/completions",
    "hunyuan-v3": "hunyuan-v3/chat/completions",
    "hunyuan-exp": "hunyuan-exp/chat/completions",
    "deepseek": "deepseek/chat/completions",
    "custom-mine": "custom-mine/chat/completions",
    "hunyuan-open": "hunyuan-open/v1/chat/completions",
    "moonshot": "moonshot/v1/chat/completions",
    "01-ai": "01-ai/v1/chat/completions",
    "hunyuan-beta": "hunyuan-beta/openapi/v1/chat/completions",
    "zhipu": "zhipu/api/paas/v4/chat/completions",
    "dashscope": "dashscope/compatible-mode/v1/chat/completions",
    "ark": "ark/api/v3/chat/completions",
}
