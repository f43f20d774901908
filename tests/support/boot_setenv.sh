#!/bin/sh
# Sets a boot loader's variable, as fw_setenv, fiovb_setenv and fioefi_setenv do. See boot_tools.py.
folder=${0%/*}
[ $# = 2 ] || exit 98
echo "set $1 $2 $FIO_OSTREE_TARGET_SYSROOT" >>"$folder/log"
if [ -e "$folder/broken" ] || [ -e "$folder/broken.$1" ]; then
	echo "cannot write /dev/mtd0" >&2
	exit 1
fi
printf '%s\n' "$2" >"$folder/value.$1"
