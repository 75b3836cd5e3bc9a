#!/usr/bin/env bash
# Runs unmodified Ethereum tools against `chlom dev` and says what passed. See README.md beside this file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

command -v node >/dev/null || { echo "devnet/compat needs Node.js 20 or later on the PATH" >&2; exit 2; }
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
exec node run.mjs "$@"
