#!/bin/sh
# Install the command line of one Coder deployment, as this deployment serves it. POSIX sh.
set -eu

url={url}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) die "there is no coder for $(uname -s); there is for Linux and macOS." ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
armv7l) arch=armv7 ;;
*) die "there is no coder for the processor $(uname -m)." ;;
esac

if [ -n "${PREFIX:-}" ]; then
	bin=$PREFIX/bin
elif [ -w /usr/local/bin ]; then
	bin=/usr/local/bin
else
	bin=$HOME/.local/bin
fi
mkdir -p "$bin" 2>/dev/null && [ -w "$bin" ] ||
	die "cannot write to $bin. Choose another place with the variable PREFIX."

# Beside its place, so that the last step is a rename: a coder that runs is never half written.
new=$bin/.coder.$$
trap 'rm -f "$new"' EXIT
from=$url/bin/coder-$os-$arch
if command -v curl >/dev/null 2>&1; then
	curl -fsSL -o "$new" "$from" || die "could not get $from."
elif command -v wget >/dev/null 2>&1; then
	wget -q -O "$new" "$from" || die "could not get $from."
else
	die "neither curl nor wget is on PATH. Install one of them."
fi
chmod 755 "$new"
"$new" --version >/dev/null || die "what $from sent does not run here."
mv -f "$new" "$bin/coder"

echo "Installed: $bin/coder"
case ":$PATH:" in
*":$bin:"*) ;;
*) echo "Add it to your PATH:   export PATH=\"$bin:\$PATH\"" ;;
esac
echo "Log in:                coder login $url"
