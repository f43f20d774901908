#!/bin/sh
# Prints a boot loader's variable, as fw_printenv -n, fiovb_printenv and fioefi_printenv do: its name
# tells which. The variables are files beside it. See boot_tools.py.
folder=${0%/*}
tool=${0##*/}
if [ "$tool" = fw_printenv ]; then
	[ "$1" = -n ] || exit 99
	shift
fi
[ $# = 1 ] || exit 98
echo "get $1" >>"$folder/log"
if [ -e "$folder/broken" ]; then
	echo "cannot open /dev/mtd0" >&2
	exit 1
fi
if [ -e "$folder/value.$1" ]; then
	cat "$folder/value.$1"
	exit 0
fi
case $tool in
fw_*)
	echo "## Error: \"$1\" not defined" >&2
	exit 1
	;;
fiovb_*)
	echo "Read persistent value for $1 failed: No such file or directory" >&2
	exit 1
	;;
esac
