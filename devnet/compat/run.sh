#!/usr/bin/env bash
# Runs unmodified Ethereum tools against `chlom dev` and says what passed. See README.md beside this file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tools/install
exec node run.mjs "$@"
