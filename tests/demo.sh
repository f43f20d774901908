#!/bin/bash
# The whole way once, on a real root file system: from a commit on a build host to an updated device,
# and the bundles that a device refuses. Every status is compared with the documented one; the first
# that differs ends the demonstration with an error.
#
# SATCHEL_BUILD: folder of the programs. SATCHEL_DEMO_CACHE: what was downloaded (.cache/demo).
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || {
	echo "demo: needs root: a root file system's files belong to several users" >&2
	exit 1
}

build=${SATCHEL_BUILD:-$PWD/build}
cache=${SATCHEL_DEMO_CACHE:-$PWD/.cache/demo}
PATH=$build:$PATH
export LC_ALL=C OSTREE_SYSROOT_DEBUG=mutable-deployments
bold='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

heading() {
	printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# The folders of this run and of the cache are of no interest to whoever reads, nor is every step of
# ostree fsck.
shorten() {
	sed -e "s|$work/||g" -e "s|$cache/||g" -e '/^fsck objects (/d'
}

# expect STATUS COMMAND…: shows the command, its output, status and seconds.
expect() {
	local want=$1 begin status=0
	shift
	printf '\n%s$ ' "$bold"
	printf '%s\n' "$*" | shorten | fold --spaces --width=96 | sed -e 's/ $/ \\/' -e '2,$s/^/      /'
	printf '%s' "$plain"
	begin=$(date +%s%N)
	"$@" 2>&1 | shorten || status=${PIPESTATUS[0]}
	printf -- '-> status %d, %d.%d s\n' "$status" \
		$((($(date +%s%N) - begin) / 1000000000)) $((($(date +%s%N) - begin) / 100000000 % 10))
	if [ "$status" -ne "$want" ]; then
		echo "demo: status $want was expected" >&2
		exit 1
	fi
}

size() {
	printf '%s: %s in %s files\n' "$1" "$(du -s --si --apparent-size "$2" | cut -f1)" \
		"$(find "$2" -type f | wc -l)"
}

# What a factory ships: a sysroot with the first release.
make_sysroot() {
	mkdir "$1"
	ostree admin init-fs "$1"
	ostree admin os-init lmp --sysroot="$1" >/dev/null
	ostree --repo="$1/ostree/repo" pull-local "$releases" "$first" >/dev/null
	ostree admin deploy --sysroot="$1" --os=lmp --karg=root=LABEL=root "$first" >/dev/null
}

# A device: that sysroot (hard links, objects are never changed in place), and its configuration.
make_device() {
	local device=$1 tag=$2 root=$3
	mkdir -p "$device/tuf/ci" "$device/run"
	cp -al "$work/sysroot" "$device/sysroot"
	if [ -n "$root" ]; then
		cp "$root" "$device/tuf/ci/1.root.json"
	fi
	cat >"$device/satchel.toml" <<-CONFIG
		[provision]
		primary_ecu_hardware_id = "intel-corei7-64"
		[storage]
		path = "$device/var"
		uptane_metadata_path = "$device/tuf"
		[pacman]
		type = "ostree"
		sysroot = "$device/sysroot"
		os = "lmp"
		booted = "staged"
		tags = "$tag"
		[bootloader]
		reboot_sentinel_dir = "$device/run"
	CONFIG
}

# A whole factory with a bundle of a system of one file: what is refused by its metadata needs no more.
make_bundle() {
	local factory=$1 bundle=$2 key commit
	mkdir -p "$work/small/usr"
	date +%s >"$work/small/usr/release"
	ostree --repo="$factory-os" init --mode=archive
	commit=$(ostree --repo="$factory-os" commit --branch=small "$work/small")
	satchel-bundler --quiet repo init "$factory"
	satchel-bundler --quiet repo add "$factory" --name intel-corei7-64-lmp --version 2 \
		--hardware-id intel-corei7-64 --tag devel --commit "$commit"
	satchel-bundler --quiet repo publish "$factory"
	key=$(find "$factory/keys" -name 'targets-*.pem')
	satchel-bundler --quiet build --tuf "$factory/metadata" --ostree "$factory-os" \
		--target intel-corei7-64-lmp-2 --tag devel --type ci --key "$key" "$bundle"
}

# An object that release 1 does not have: others are never read from a stick.
first_new_object() {
	local objects=$1 name
	find "$objects" -name '*.filez' -size +64k -printf '%P\n' | sort | while read -r name; do
		if [ ! -e "$work/sysroot/ostree/repo/objects/${name%z}" ]; then
			printf '%s\n' "$objects/$name"
		fi
	done | sed -n 1p
}

refuse() {
	local want=$1 device=$2 bundle=$3
	expect "$want" satchel-installer --config "$device/satchel.toml" --src-dir "$bundle" check
}

heading "Two releases of a real root file system"
tests/support/debian_releases.sh "$cache"
releases=$cache/repo
first=$(ostree --repo="$releases" rev-parse demo/1)
second=$(ostree --repo="$releases" rev-parse demo/2)
for release in 1 2; do
	printf 'release %s: %s files and folders\n' "$release" \
		"$(ostree --repo="$releases" ls -R "demo/$release" | wc -l)"
done

work=$(mktemp -d "$cache/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

heading "Build host: author a TUF repository, build and sign a bundle"
expect 0 satchel-bundler repo init "$work/factory"
expect 0 satchel-bundler repo add "$work/factory" --name intel-corei7-64-lmp --version 1 \
	--hardware-id intel-corei7-64 --tag devel --commit "$first"
expect 0 satchel-bundler repo add "$work/factory" --name intel-corei7-64-lmp --version 2 \
	--hardware-id intel-corei7-64 --tag devel --commit "$second"
expect 0 satchel-bundler repo publish "$work/factory"
key=$(find "$work/factory/keys" -name 'targets-*.pem')
expect 0 satchel-bundler build --tuf "$work/factory/metadata" --ostree "$releases" \
	--target intel-corei7-64-lmp-2 --tag devel --type ci --key "$key" "$work/bundle"
size bundle "$work/bundle"
expect 0 satchel-bundler show "$work/bundle"

heading "Anywhere: would a device take it?"
root=$work/factory/metadata/1.root.json
expect 0 satchel-verify --root "$root" --hardware-id intel-corei7-64 --tag devel --type ci \
	"$work/bundle"
expect 0 satchel-verify --root "$root" --hardware-id intel-corei7-64 --tag devel --type ci --full \
	"$work/bundle"

expect 0 satchel-verify tuf --metadata-dir "$work/trust" init "$root"
expect 0 satchel-verify tuf --metadata-dir "$work/trust" \
	--metadata-source "$work/factory/metadata" refresh
expect 0 satchel-verify tuf --metadata-dir "$work/trust" show

heading "Device: check, pull, install, run"
make_sysroot "$work/sysroot"
make_device "$work/device" devel "$root"
size "device before" "$work/device/sysroot"
for step in "16 check" "0 pull" "100 install"; do
	expect "${step% *}" satchel-installer --config "$work/device/satchel.toml" \
		--src-dir "$work/bundle" "${step#* }"
done
expect 0 satchel-installer --config "$work/device/satchel.toml" run
expect 0 satchel-installer --config "$work/device/satchel.toml" status
expect 0 ostree admin status --sysroot="$work/device/sysroot"
expect 0 ostree fsck --quiet --repo="$work/device/sysroot/ostree/repo"

heading "Refused: an object that was altered on the stick"
make_device "$work/device-2" devel "$root"
cp -al "$work/bundle" "$work/altered"
object=$(first_new_object "$work/altered/ostree_repo/objects")
cp --remove-destination "$work/bundle/${object#"$work/altered/"}" "$object"
printf 'X' | dd of="$object" bs=1 seek=40000 conv=notrunc status=none
expect 50 satchel-installer --config "$work/device-2/satchel.toml" --src-dir "$work/altered" pull
expect 0 ostree fsck --quiet --repo="$work/device-2/sysroot/ostree/repo"

heading "Refused: a bundle that has expired"
(
	SOURCE_DATE_EPOCH=$(($(date +%s) - 40 * 86400))
	export SOURCE_DATE_EPOCH
	make_bundle "$work/old-factory" "$work/expired"
)
make_device "$work/device-3" devel "$work/old-factory/metadata/1.root.json"
refuse 12 "$work/device-3" "$work/expired"

heading "Refused: a bundle for another tag"
make_device "$work/device-4" production "$root"
refuse 15 "$work/device-4" "$work/bundle"

heading "Refused: a bundle signed by a stranger"
make_bundle "$work/stranger" "$work/strange"
cp -al "$work/bundle" "$work/forged"
cp --remove-destination "$work/strange/tuf/bundle-targets.json" "$work/forged/tuf/"
make_device "$work/device-5" devel "$root"
refuse 15 "$work/device-5" "$work/forged"

heading "Refused: a device without a trusted root"
make_device "$work/device-6" devel ""
refuse 14 "$work/device-6" "$work/bundle"

printf '\n%sAll as documented.%s\n' "$bold" "$plain"
