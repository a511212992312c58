#!/bin/sh
# Fetch the kernel of Debian that VM_KERNEL names, and unpack it below
# $BUILD/vm. Nothing is installed: it runs in the guest of boot.sh only.
set -eu

here=${BUILD:-build}/vm
package=${VM_KERNEL:-linux-image-cloud-amd64}

# A package without a version in its name depends on the newest that has one.
versioned=$(apt-cache depends "$package" |
	sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p')
package=${versioned:-$package}

if [ ! -e "$here/$package/boot" ]; then
	mkdir -p "$here/$package.new"
	(cd "$here" && apt-get download -q "$package")
	for deb in "$here/$package"_*.deb; do
		dpkg-deb -x "$deb" "$here/$package.new"
		rm "$deb"
	done
	mv "$here/$package.new" "$here/$package"
fi
ln -sfn "$package" "$here/kernel"
