#!/bin/sh
# Fetch the coder agent from its server, and become it. May be run any number of times.
set -eu

url="${ACCESS_URL}bin/coder-${OS}-${ARCH}"
export CODER_AGENT_URL="${ACCESS_URL}"
export CODER_AGENT_AUTH="${AUTH_TYPE}"

say() {
	echo "coder: $*" >&2
}

if command -v curl >/dev/null 2>&1; then
	fetch() { curl -fsSL --connect-timeout 10 -o "$1" "$url"; }
elif command -v wget >/dev/null 2>&1; then
	fetch() { wget -q -T 30 -O "$1" "$url"; }
elif command -v busybox >/dev/null 2>&1; then
	fetch() { busybox wget -q -T 30 -O "$1" "$url"; }
else
	say "cannot fetch the agent: install curl, wget or busybox"
	exit 127
fi

umask 077
folder="${BINARY_DIR:-}"
if [ -z "$folder" ]; then
	folder=$(mktemp -d "${TMPDIR:-/tmp}/coder.XXXXXX") || {
		say "cannot make a directory in ${TMPDIR:-/tmp}"
		exit 1
	}
fi
mkdir -p "$folder"
agent="$folder/coder"

wait=1
until fetch "$agent.part.$$"; do
	say "cannot fetch $url; trying again in ${wait}s"
	sleep "$wait"
	wait=$((wait * 2))
	[ "$wait" -le 30 ] || wait=30
done
chmod 0755 "$agent.part.$$"
mv -f "$agent.part.$$" "$agent"
umask 022

exec "$agent" agent
