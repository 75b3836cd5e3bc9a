#!/usr/bin/env bash
# Installs the peers that `run.mjs` measures against, pinned, into a cache folder, and prints where they are as JSON.
#   peers.sh [geth] [anvil]      both when none is named
# geth is built by Go from a tools module (minutes, once); anvil comes from npm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${CHLOM_PEERS:-$HOME/.cache/chlom/peers}
mkdir -p "$cache/bin" "$cache/anvil"

install_geth() {
  command -v go >/dev/null || { echo "peers.sh needs Go 1.26 to build geth" >&2; exit 3; }
  # Built anew when the pin changed: the module version is inside the binary.
  local pinned
  pinned=$(awk '$1 == "github.com/ethereum/go-ethereum" { print $2 }' "$here/peers/go.mod")
  if ! go version -m "$cache/bin/geth" 2>/dev/null | grep -q "go-ethereum.*$pinned"; then
    echo "building geth $pinned (once, some minutes)" >&2
    (cd "$here/peers" && timeout 1800 go build -o "$cache/bin/geth" github.com/ethereum/go-ethereum/cmd/geth) >&2
  fi
  found+=("\"geth\":\"$cache/bin/geth\"")
}

install_anvil() {
  command -v npm >/dev/null || { echo "peers.sh needs npm to get anvil" >&2; exit 3; }
  if ! cmp -s "$here/peers/package-lock.json" "$cache/anvil/installed-from.json"; then
    echo "installing anvil" >&2
    cp "$here/peers/package.json" "$here/peers/package-lock.json" "$cache/anvil/"
    # Not `npm ci`: it refuses a lockfile without the other platforms' optional binaries.
    (cd "$cache/anvil" && timeout 300 npm install --ignore-scripts --omit=dev --no-audit --no-fund) >&2
    cp "$here/peers/package-lock.json" "$cache/anvil/installed-from.json"
  fi
  local anvil
  anvil=$(find "$cache/anvil/node_modules/@foundry-rs" -type f -name anvil -perm -u+x | head -n 1)
  [ -n "$anvil" ] || { echo "npm did not deliver anvil's binary for this platform" >&2; exit 3; }
  found+=("\"anvil\":\"$anvil\"")
}

found=()
[ $# -gt 0 ] || set -- geth anvil
for peer in "$@"; do
  case $peer in
    geth) install_geth ;;
    anvil) install_anvil ;;
    *) echo "peers.sh knows geth and anvil, not $peer" >&2; exit 2 ;;
  esac
done
printf '{%s}\n' "$(IFS=,; echo "${found[*]}")"
