#!/bin/sh
# Run a command on another kernel: boot.sh PROGRAM [ARG...]
#
# As root: in a virtual machine, in this directory, as root there, with all
# files of this machine; what it writes is gone with the machine. Prints what
# the command prints, and ends with its status. The kernel is that of
# kernel.sh. From the environment, beside BUILD:
#   VM_MEMORY      of the guest, in MiB
#   VM_PROCESSORS  of the guest
#   VM_ACCEL       "kvm" where that works; an emulated processor is some 10 to
#                  20 times as slow
#   VM_LIMIT       seconds until it counts as hanging
set -eu

build=${BUILD:-build}
here=$build/vm
memory=${VM_MEMORY:-2048}
virtiofsd=/usr/lib/qemu/virtiofsd
host=

[ -e "$here/kernel/boot" ] || {
	echo "boot.sh: there is no kernel: run \"make vm-deps\"" >&2
	exit 69
}
work=$(mktemp -d)

# shellcheck disable=SC2317 # called by trap
clean_up() {
	[ -z "$host" ] || kill "$host" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Each argument in quotes, whatever is in it.
quoted() {
	for word; do
		printf " '%s'" "$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g")"
	done
}

# In the order in which they need each other; the last one for what asks the
# kernel about sockets.
modules='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev
	virtio_pci fuse virtiofs overlay unix_diag'

mkdir -p "$work/root/bin" "$work/root/dev" "$work/root/proc" \
	"$work/root/modules"
: >"$work/root/modules/order"
cp /bin/busybox "$work/root/bin"
cp "$(dirname "$0")/init" "$work/root/init"
for module in $modules; do
	# What is built into a kernel is not there as a file.
	find "$here/kernel/" -name "$module.ko" \
		-exec cp {} "$work/root/modules" \;
	[ ! -e "$work/root/modules/$module.ko" ] ||
		echo "$module" >>"$work/root/modules/order"
done
{
	printf 'cd%s\n' "$(quoted "$PWD")"
	for name in BUILD $(env | sed -n 's/^\(CK_[A-Z_]*\)=.*/\1/p'); do
		eval "value=\${$name:-}"
		[ -z "$value" ] || printf 'export %s=%s\n' "$name" \
			"$(quoted "$value" | sed 's/^ //')"
	done
	printf 'export PATH=%s HOME=/root LANG=C.UTF-8\n' \
		"$(quoted "$PATH" | sed 's/^ //')"
	printf 'exec%s\n' "$(quoted "$@")"
} >"$work/root/command"
(cd "$work/root" && find . | cpio -o -H newc --quiet) |
	gzip -1 >"$work/initramfs"

"$virtiofsd" --socket-path="$work/files" -o source=/ -o cache=always \
	-o sandbox=chroot >"$work/virtiofsd.log" 2>&1 &
host=$!
until [ -S "$work/files" ]; do
	kill -0 "$host" 2>/dev/null || {
		cat "$work/virtiofsd.log" >&2
		exit 71
	}
	sleep 0.1
done

timeout --foreground "${VM_LIMIT:-7200}" qemu-system-x86_64 \
	-accel "${VM_ACCEL:-tcg}" -smp "${VM_PROCESSORS:-2}" -m "$memory" \
	-object "memory-backend-memfd,id=memory,size=${memory}M,share=on" \
	-numa node,memdev=memory \
	-chardev "socket,id=files,path=$work/files" \
	-device vhost-user-fs-pci,chardev=files,tag=root \
	-nodefaults -display none -serial stdio -no-reboot \
	-kernel "$here"/kernel/boot/vmlinuz-* -initrd "$work/initramfs" \
	-append 'console=ttyS0 quiet panic=-1' </dev/null |
	tee "$work/console.log" |
	sed -u -e '/^vm: exit status /d' -e '/^\[.*\] reboot: Power down/d'
status=$(sed -n 's/^vm: exit status \([0-9]*\).*/\1/p' "$work/console.log" |
	tail -n 1)
exit "${status:-70}"
