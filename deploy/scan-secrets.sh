#!/bin/sh
# Look for keys and passwords in what git keeps, without the generated and the data files.
#
# By the form that they have (private keys, tokens of known services, passwords in addresses). Words such as
# "password" and texts that look random are left out: in this repository they are all false alarms.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z -- . \
  ':!requirements/' ':!*package-lock.json' ':!docs/openapi/' ':!docs/asyncapi/' ':!gateway/web/src/api/schema.d.ts' \
  ':!*.jsonl' ':!*.png' ':!*.webp' ':!*.svg' |
  xargs -0 .venv/bin/detect-secrets-hook --no-verify \
    --disable-plugin Base64HighEntropyString --disable-plugin HexHighEntropyString --disable-plugin KeywordDetector \
    --exclude-secrets '^(password|guest|secret)$'
