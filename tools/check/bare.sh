#!/bin/sh
# bare.sh [FOLDER]: proves the two commands of the README on a Debian that has nothing. Bootstraps the host's own release
# into FOLDER (a new temporary one), from the mirror that apt uses here, copies this tree in, and runs tools/demo.sh and
# tools/test.sh there, each twice. Needs root and debootstrap; takes some minutes.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-$(mktemp -d)/debian}
# shellcheck disable=SC1091 # of this machine
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # for apt to expand
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v release="$release" '$2 == release { print $1; exit }')

mkdir -p "$(dirname "$root")"
echo "bare: bootstrapping $release into $root"
debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
echo "deb $mirror $release main" >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https|Check)' >"$root/etc/apt/apt.conf.d/99host" || true
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/src"
tar -C "$here" --exclude=./build --exclude=./.git -c . | tar -C "$root/src" -x

mkdir -p "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true
mount -t proc proc "$root/proc" 2>/dev/null || true
trap 'umount "$root/proc" "$root/dev/shm" 2>/dev/null || true' EXIT

for command in tools/demo.sh tools/demo.sh tools/test.sh tools/test.sh; do
    start=$(date +%s)
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        ${http_proxy+http_proxy="$http_proxy"} ${https_proxy+https_proxy="$https_proxy"} \
        sh -c "cd /src && ./$command" >"$root.log" 2>&1 || { tail -n 60 "$root.log"; echo "bare: $command failed"; exit 1; }
    grep -E '^setup:|^demo:|Synthesis|tests passed' "$root.log" | sed 's/^/    /'
    echo "bare: ./$command passed in $(($(date +%s) - start)) s"
done
echo "bare: both commands work on a bare $release; the root is $root"
