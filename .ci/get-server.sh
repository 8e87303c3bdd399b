#!/usr/bin/env bash
# get-server.sh SUITE redis|valkey DIRECTORY
#
# Puts the Redis or Valkey of another Debian suite (trixie, sid, ...) into DIRECTORY, beside whatever this machine has
# installed and without root rights: DIRECTORY/redis-server and DIRECTORY/redis-cli (or valkey-...) then run with
# libraries of their own. Does nothing where DIRECTORY already has them.
set -euo pipefail

suite=$1 product=$2 directory=$3

if [[ -x $directory/$product-server ]] && "$directory/$product-server" --version; then
  exit 0
fi

work=$(mktemp -d)
unpacked=$directory.partial
trap 'rm -rf "$work" "$unpacked"' EXIT
rm -rf "$directory" "$unpacked"
mkdir -p "$work"/{lists,cache,debs} "$unpacked"
touch "$work/status" # Nothing counts as installed: the server must not lean on this machine's libraries.

# The machine's own mirror and settings, but another suite and nowhere to write outside of $work.
# shellcheck disable=SC2016 # REPO_URI is for apt to fill in.
mirrors=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian')
if [[ -z $mirrors ]]; then
  echo "apt knows no Debian mirror here. Has it ever run 'apt-get update'?" >&2
  exit 1
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirrors%%$'\n'*} $suite main" >"$work/sources.list"
apt_options=(
  -q
  -o "Dir::Etc::sourcelist=$work/sources.list"
  -o Dir::Etc::sourceparts=/dev/null
  -o Dir::Etc::preferences=/dev/null
  -o Dir::Etc::preferencesparts=/dev/null
  -o "Dir::State::lists=$work/lists"
  -o "Dir::State::status=$work/status"
  -o "Dir::Cache=$work/cache"
  -o Acquire::Languages=none
  # The user that root's apt downloads as may not write into $work. Everybody else's apt ignores this.
  -o APT::Sandbox::User=root
)
apt-get "${apt_options[@]}" update >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}

# The server and, from its dependencies, the libraries; the rest of them (users, init scripts, perl) are for an
# installed service.
packages=("$product-server" "$product-tools")
for ((i = 0; i < ${#packages[@]}; i++)); do
  while read -r dependency; do
    [[ " ${packages[*]} " == *" $dependency "* ]] || packages+=("$dependency")
  done < <(apt-cache "${apt_options[@]}" depends --important "${packages[i]}" | awk '$1 ~ /Depends:$/ && $2 ~ /^(lib|zlib)/ { print $2 }')
done

cd "$work/debs"
apt-get "${apt_options[@]}" download "${packages[@]}" >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
for package in *.deb; do
  dpkg-deb --extract "$package" "$unpacked"
done

# The binaries are started by the loader that belongs to their C library. exec keeps the process id: whoever starts the
# server can also end it.
libraries=$(dirname "$(find "$unpacked" -name libc.so.6 -print -quit)")
loader=$(find "$unpacked" -name 'ld-linux*.so.*' -type f -print -quit)
for binary in "$product-server" "$product-cli"; do
  cat >"$unpacked/$binary" <<LAUNCHER
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
exec "\$here/${loader#"$unpacked/"}" --library-path "\$here/${libraries#"$unpacked/"}:\$here/usr/lib/$(basename "$libraries")" \\
  "\$here/usr/bin/$binary" "\$@"
LAUNCHER
  chmod +x "$unpacked/$binary"
done
"$unpacked/$product-server" --version

# Only now, so that a directory of this name is always a whole server.
mv "$unpacked" "$directory"
