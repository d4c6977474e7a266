#!/usr/bin/env bash
# Starts a sandbox on a free port in the background, and prints the environment for AWS SDKs as NAME=value lines:
#
#     export $(examples/ci/start-sandbox.sh)                GitHub Actions: >> "$GITHUB_ENV"
#
# It writes its log to sandbox.log, and its URL and process id to sandbox.json.
set -euo pipefail

rm -f sandbox.json
npx effect-marketplace-metering sandbox --port 0 --ready-file sandbox.json "$@" > sandbox.log 2>&1 &

for _ in $(seq 300); do
  if [ -f sandbox.json ]; then
    url=$(node -p 'JSON.parse(fs.readFileSync("sandbox.json", "utf8")).url')
    printf '%s\n' \
      "AWS_ENDPOINT_URL_MARKETPLACE_METERING=$url" \
      "AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE=$url" \
      AWS_REGION=us-east-1 \
      AWS_DEFAULT_REGION=us-east-1 \
      AWS_ACCESS_KEY_ID=sandbox \
      AWS_SECRET_ACCESS_KEY=sandbox
    exit 0
  fi
  # it could not start
  kill -0 $! 2> /dev/null || break
  sleep 0.1
done
cat sandbox.log >&2
exit 1
