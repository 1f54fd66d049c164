/**
 * What the appliance's kernel starts first: libguestfs's own daemon, and no more than it needs.
 * The init of libguestfs starts udev, LVM, md and dynamic disks each time, most of its launch under emulation; here they are
 * started only when a disk holds such a thing (see src/inspection/stacked-tables.ts). Names of disks come from the serial number
 * that libguestfs gives them, as its udev rule would make them; the kernel leaves that in /sys as page 0x80 of SCSI's vital data.
 */

export const RUNNER_PATH = '/snapproof-runner';
/** Where a script is laid before it is asked for. */
export const SCRIPT_PATH = '/tmp/script';
/** Kept of each stream of a script: libguestfs refuses answers over 4 MiB. */
const OUTPUT_BYTES = 1_400_000;
const encode = (file: string) => `[ -s ${file} ] && head -c ${OUTPUT_BYTES} ${file} | base64 -w0; echo`;

/**
 * Runs scripts, one after another, each in a process of its own: a shell that is there already costs a fork, a new one with its
 * helpers costs 300 ms under emulation. A request is the time limit in seconds; the answer is three lines: exit code (124: out of
 * time), standard output and error in base64.
 */
export const RUNNER_SCRIPT = `set -m
exec 7<>/run/request 8<>/run/ended
while read -r seconds <&7; do
  { ( exec 7>&- 8>&-; . ${SCRIPT_PATH} ); echo $? >&8; } >/tmp/out 2>/tmp/err </dev/null &
  job=$!
  read -r -t "$seconds" code <&8 || {
    kill -TERM -- -$job; sleep 1; kill -KILL -- -$job; sleep 1
    while read -r -t 0.1 code <&8; do :; done # what it still said
    code=124
  }
  { echo "$code"; ${encode('/tmp/out')}; ${encode('/tmp/err')}; } >/run/answer
done
`;

/** Asks for the script at SCRIPT_PATH. libguestfs hands this to two shells, one inside the other: nothing in it may mean anything to the outer one. */
export function runnerRequest(timeoutMs: number): string {
  return `echo ${Math.max(1, Math.ceil(timeoutMs / 1000))} >/run/request; cat /run/answer`;
}

/** Each program costs 30 ms under emulation: builtins wherever there is one, and one mount for all. */
export const INIT_SCRIPT = `#!/bin/bash
export PATH=/sbin:/usr/sbin:/bin:/usr/bin LC_ALL=C
[ -d /tmp ] && [ -d /var/tmp ] || { rm -f /tmp /var/tmp; mkdir -m 1777 /tmp /var/tmp; }
mount -t proc proc /proc
modprobe xfs & # takes 0.7 s under emulation, the driver that nearly every second guest needs
printf '%s\\n' \\
  'sysfs /sys sysfs defaults' \\
  'devtmpfs /dev devtmpfs defaults' \\
  'tmpfs /run tmpfs nosuid,size=20%,mode=0755' >/etc/fstab
mount -a
mkdir -p /dev/pts /dev/shm /dev/disk/guestfs /dev/disk/by-path /dev/virtio-ports /run/lock /sysroot /tmp/lvm
printf '%s\\n' 'devpts /dev/pts devpts defaults' 'shmfs /dev/shm tmpfs mode=1777' >/etc/fstab
mount -a
ln -s /proc/self/fd /dev/fd
mknod /dev/btrfs-control c 10 234 # opening it loads the driver (Documentation/admin-guide/devices.txt)
[ -e /etc/mtab ] || ln -s /proc/mounts /etc/mtab
shopt -s nullglob
for port in /sys/class/virtio-ports/*; do
  read -r name <"$port/name" && ln -s "../\${port##*/}" "/dev/virtio-ports/$name"
done
for disk in /sys/block/sd*; do
  echo 300 >"$disk/device/timeout"
  serial=
  { serial=$(<"$disk/device/vpd_pg80"); } 2>/dev/null
  serial=\${serial:2}
  [[ $serial =~ ^[A-Za-z]+$ ]] || continue
  ln -s "../../\${disk##*/}" "/dev/disk/guestfs/$serial"
  for part in "$disk"/sd*; do
    read -r number <"$part/partition" && ln -s "../../\${part##*/}" "/dev/disk/guestfs/$serial$number"
  done
done
: >/tmp/lvm/lvm.conf
type lvmdevices vgimportdevices >/dev/null 2>&1 && printf 'devices {\\n\\tuse_devicesfile = 0\\n}\\n' >/tmp/lvm/lvm.conf
export LVM_SYSTEM_DIR=/tmp/lvm
mkfifo /run/request /run/ended /run/answer
bash ${RUNNER_PATH} 2>/dev/null &
guestfsd
sync
reboot -f
`;
