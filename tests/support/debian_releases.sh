#!/bin/bash
# Makes two releases of a real root file system from Debian packages and commits both to an OSTree
# repository: CACHE/repo (archive mode), branches demo/1 and demo/2. What is there already is kept,
# so that a second run needs neither network nor time.
#
#   debian_releases.sh CACHE
set -euo pipefail

cache=$(mkdir -p "$1" && cd "$1" && pwd)
repo=$cache/repo
suite=bookworm
first=linux-image-amd64,systemd-sysv,udev,dbus,openssh-server,iproute2,ca-certificates
second=(python3-minimal python3-cryptography python3-yaml git less nano tcpdump strace)

# An OSTree deployment has its kernel beside its modules, its /etc as default in /usr/etc, and nothing
# of its own in /var, which outlives releases.
to_ostree_layout() {
	local root=$1 version
	version=$(basename "$root"/usr/lib/modules/*)
	cp "$root/boot/vmlinuz-$version" "$root/usr/lib/modules/$version/vmlinuz"
	cp "$root/boot/initrd.img-$version" "$root/usr/lib/modules/$version/initramfs.img"
	rm -rf "${root:?}"/{boot,dev,home,initrd.img*,media,mnt,opt,proc,root,run,srv,sys,tmp,var,vmlinuz*}
	mkdir "$root"/{boot,dev,proc,run,sys,sysroot,tmp,var}
	ln -s var/home "$root/home"
	ln -s var/roothome "$root/root"
	ln -s sysroot/ostree "$root/ostree"
	rm -f "$root"/etc/{hostname,machine-id,resolv.conf,ssh/ssh_host_*}
	mv "$root/etc" "$root/usr/etc"
}

commit() {
	local root=$1 release=$2
	ostree --repo="$repo" commit --branch="demo/$release" --subject="Release $release" \
		--timestamp="2026-0$release-01 00:00:00 +0000" \
		"$root" >/dev/null
}

if [ -e "$cache/complete" ]; then
	exit 0
fi
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
rm -rf "$repo"
ostree --repo="$repo" init --mode=archive

echo "Making release 1 from Debian packages ($suite); this is done once."
mmdebstrap --quiet --mode=root --variant=minbase --include="$first" --skip=cleanup/apt \
	"$suite" "$work/base"
cp -a "$work/base" "$work/1"
to_ostree_layout "$work/1"
commit "$work/1" 1
rm -rf "$work/1"

echo "Making release 2: the same and ${second[*]}"
chroot "$work/base" env DEBIAN_FRONTEND=noninteractive \
	apt-get install --yes --quiet --no-install-recommends "${second[@]}" >"$work/apt.log" 2>&1 ||
	{ tail -20 "$work/apt.log"; exit 1; }
to_ostree_layout "$work/base"
commit "$work/base" 2

sync -f "$repo"
touch "$cache/complete"
