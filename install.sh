#!/bin/sh
# Install coder from this checkout, or run its main job or its tests. POSIX sh; needs only Python.
set -eu

usage() {
	cat <<'EOF'
Install coder from this checkout into a private environment, and link `coder`.

Usage:
  ./install.sh [options]
  ./install.sh --quickstart [server options]
  ./install.sh --test [pytest options]

Options:
  --quickstart        Install, then run `coder server --quickstart`: a server with its own
                      PostgreSQL, a first user, a template, and a workspace to `coder ssh` into.
  --test              Install the development dependencies into .venv, run all checks and tests.
  --dry-run           Print each command instead of running it.
  --version X.X.X     Install that release (a tag of this repository) instead of the checkout.
  --method METHOD     detect (default) or standalone. Both make a private environment.
  --prefix DIR        Where to install: DIR/lib/coder and DIR/bin/coder. Default: /usr/local when
                      it can be written, else ~/.local.
  --python PROGRAM    The Python (3.11 or newer) to use. Default: the newest one on PATH.
  -h, --help          Print this text.
EOF
}

say() { printf '%s\n' "$*" >&2; }
die() {
	say "error: $1"
	[ $# -lt 2 ] || say "$2"
	exit 1
}
run() {
	if [ "$DRY_RUN" = 1 ]; then
		printf '+ %s\n' "$*"
	else
		"$@"
	fi
}

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
ACTION=install DRY_RUN=0 PREFIX='' VERSION='' METHOD=detect PYTHON='' LINK=0

need_value() { [ $# -ge 2 ] || die "$1 needs a value." "Run './install.sh --help' for usage."; }

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--dry-run) DRY_RUN=1 ;;
	--quickstart) ACTION=quickstart && shift && break ;;
	--test) ACTION=test && shift && break ;;
	--prefix) need_value "$@" && PREFIX=$2 && shift ;;
	--prefix=*) PREFIX=${1#*=} ;;
	--version) need_value "$@" && VERSION=${2#v} && shift ;;
	--version=*) VERSION=${1#*=} && VERSION=${VERSION#v} ;;
	--method) need_value "$@" && METHOD=$2 && shift ;;
	--method=*) METHOD=${1#*=} ;;
	--python) need_value "$@" && PYTHON=$2 && shift ;;
	--python=*) PYTHON=${1#*=} ;;
	*) die "unknown option $1" "Run './install.sh --help' for usage." ;;
	esac
	shift
done

case $METHOD in
detect | standalone) ;;
*) die "unknown method '$METHOD'; the methods are detect and standalone." ;;
esac

# How to install a missing thing on this machine: package names for Debian, Fedora, Alpine, macOS.
how() {
	if command -v apt-get >/dev/null 2>&1; then
		say "Install it with: apt-get install -y $1"
	elif command -v dnf >/dev/null 2>&1; then
		say "Install it with: dnf install -y $2"
	elif command -v apk >/dev/null 2>&1; then
		say "Install it with: apk add $3"
	elif command -v brew >/dev/null 2>&1; then
		say "Install it with: brew install $4"
	else
		say "Install the package $1 (or your system's name for it)."
	fi
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
	if [ -n "$PYTHON" ]; then
		new_enough "$PYTHON" || die "$PYTHON is not Python 3.11 or newer."
		return
	fi
	for candidate in python3.14 python3.13 python3.12 python3.11 python3 python; do
		if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
			PYTHON=$candidate
			return
		fi
	done
	say "error: coder needs Python 3.11 or newer, and none is on PATH."
	how python3.11 python3.11 python3 python@3.13
	exit 1
}

find_venv() {
	if ! "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1; then
		minor=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
		say "error: $PYTHON cannot make environments: its venv module is missing."
		how "python$minor-venv" "python$minor" python3 "python@$minor"
		exit 1
	fi
}

# Templates need Terraform, which is not in every system's packages: said before the long part.
# Flags of the server may name one elsewhere, so the server has the last word.
look_for_terraform() {
	if command -v terraform >/dev/null 2>&1 || command -v tofu >/dev/null 2>&1 ||
		[ -n "${CODER_TERRAFORM_BINARY:-}" ]; then
		return
	fi
	case " $* " in *" --terraform-binary"*) return ;; esac
	say "warning: neither terraform (1.9 or newer) nor tofu (1.10 or newer) is on PATH, and" \
		"without one the quickstart stops at its template."
	if command -v brew >/dev/null 2>&1; then
		say "Install it with: brew install opentofu"
	else
		say "Install it as described at https://developer.hashicorp.com/terraform/install or" \
			"https://opentofu.org/docs/intro/install"
	fi
}

# Make environment $1 and install $2 (a pip requirement) with the pinned versions of checkout $3.
# A stamp skips all of it when nothing that matters has changed.
environment() {
	stamp="$1/.installed"
	want=$(cat "$3/pyproject.toml" "$3/.requirements.lock" | cksum)" $2"
	if [ "$DRY_RUN" = 0 ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
		return
	fi
	say "Installing into $1 (the first time takes about a minute) ..."
	run "$PYTHON" -m venv "$1"
	run "$1/bin/python" -m pip install -qq --disable-pip-version-check \
		--constraint "$3/.requirements.lock" $4 "$2" ||
		die "pip could not install coder's dependencies; the lines above say which and why."
	if [ "$DRY_RUN" = 0 ]; then
		printf '%s' "$want" >"$stamp"
	fi
}

# The folder that holds the wanted release: this checkout, or a tag of it.
source_of() {
	SOURCE=$HERE
	[ -n "$VERSION" ] || return 0
	here=$(sed -n 's/^version = "\(.*\)"/\1/p' "$HERE/pyproject.toml" | head -n 1)
	[ "$VERSION" != "$here" ] || return 0
	git -C "$HERE" rev-parse --quiet --verify "v$VERSION^{commit}" >/dev/null 2>&1 ||
		die "there is no release $VERSION here; this checkout is $here." \
			"Releases: $(git -C "$HERE" tag --list 'v*' 2>/dev/null | tr '\n' ' ')"
	SOURCE=$(mktemp -d)
	trap 'rm -rf "$SOURCE"' EXIT
	git -C "$HERE" archive "v$VERSION" | tar -x -C "$SOURCE"
}

choose_prefix() {
	[ -z "$PREFIX" ] || return 0
	if [ -w /usr/local/bin ] && [ -w /usr/local/lib ]; then
		PREFIX=/usr/local
	else
		PREFIX=$HOME/.local
	fi
}

install_coder() {
	find_python
	find_venv
	choose_prefix
	source_of
	run mkdir -p "$PREFIX/lib" "$PREFIX/bin" || die "cannot write to $PREFIX." \
		"Choose another place with --prefix, for example: --prefix \"\$HOME/.local\""
	if [ "$SOURCE" = "$HERE" ]; then LINK=-e; else LINK=''; fi
	environment "$PREFIX/lib/coder" "$SOURCE" "$SOURCE" "$LINK"
	run ln -sf "$PREFIX/lib/coder/bin/coder" "$PREFIX/bin/coder"
}

next_steps() {
	if [ "$DRY_RUN" = 1 ]; then
		say "Nothing was installed: this was a dry run."
		return
	fi
	say "Installed: $PREFIX/bin/coder"
	case ":$PATH:" in
	*":$PREFIX/bin:"*) ;;
	*) say "Add it to your PATH:   export PATH=\"$PREFIX/bin:\$PATH\"" ;;
	esac
	say "Start a server:        coder server"
	say "See it all at once:    coder server --quickstart"
}

check_all() {
	find_python
	find_venv
	cd "$HERE"
	environment .venv '.[dev]' . -e
	export PYTHONDONTWRITEBYTECODE=1
	run .venv/bin/ruff check .
	run .venv/bin/ruff format --check --quiet .
	run .venv/bin/lint-imports --no-cache
	run .venv/bin/pyright
	run .venv/bin/python -m pytest -n auto --dist loadfile -q "$@"
}

case $ACTION in
install) install_coder && next_steps ;;
quickstart)
	look_for_terraform "$@"
	install_coder
	run "$PREFIX/bin/coder" server --quickstart "$@"
	;;
test) check_all "$@" ;;
esac
