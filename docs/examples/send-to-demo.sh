#!/bin/sh
# Posts an example delivery to the demo channel as Kapso would: with a new id and the present time, signed over the
# exact bytes that are sent.
#   docs/examples/send-to-demo.sh [file] [address of the product]
set -eu
file=${1:-$(dirname "$0")/kapso-received-text.json}
product=${2:-http://127.0.0.1:8000}
now=$(date +%s)
body=$(mktemp)
trap 'rm -f "$body"' EXIT
sed -e "s/wamid\.\([A-Za-z0-9]*\)[^\"]*/wamid.\1$now/g" -e "s/\"timestamp\": \"[0-9]*\"/\"timestamp\": \"$now\"/g" "$file" >"$body"
signature=$(openssl dgst -sha256 -hmac demo-kapso-secret -r "$body" | cut -d' ' -f1)
curl --silent --show-error --fail-with-body "$product/webhooks/kapso/demo-kapso" \
    -H 'Content-Type: application/json' \
    -H 'X-Webhook-Event: whatsapp.message.received' \
    -H 'X-Webhook-Payload-Version: v2' \
    -H "X-Idempotency-Key: example-$now" \
    -H "X-Webhook-Signature: $signature" \
    --data-binary "@$body"
