#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks, cards and consoles of cells, which `lh cell serve` in the root cell is.

usage: virtio_test.py LH [NAME...]
"""

import random
import re
import subprocess

from bed import Root, cell
from report import Skip, check, check_equal, guest_file, main

LIMIT_S = 300
QUIET = 'console=ttyS0,115200 quiet'
SIZE = 1000000
BULK = 16 << 20
KILLS = 3
OWN_MAC = '52:4c:2c:ea:2f:01'  # of net1, which describes none: of the cell's name and the slot
GIVEN_MAC = '52:54:00:00:00:02'
SERVER = '$(cat /run/longhouse/virtio.serve)'


def files(*more):
    found = {name + '.dts': cell(name) for name in ('virtio', 'net1', 'net2') + more}
    return {**found, 'vmlinuz': guest_file('vmlinuz'), 'initrd.img': guest_file('initrd.img')}


def start(r, work, name='virtio'):
    r(f"run /cells/{name}.dts --keep --append '{QUIET} guest.net=off guest.run=\"{work}\"'", LIMIT_S)


def ended(r, name='virtio'):
    """What the cell printed until it powered itself off."""
    check('powered off' in r(f'wait {name} --timeout 250', LIMIT_S))
    text = r(f'output {name}').replace('\r', '')
    check(not re.search('Oops|Call Trace|I/O error', text), text[-3000:])
    return text


def until(r, words, name='virtio'):
    """The cell has printed that; it is told of what it printed otherwise."""
    status, _ = r.shell.run(f'n=0; until lh cell output {name} | grep -q {words}; do usleep 100000; '
                            'n=$((n + 1)); [ $n -lt 600 ] || break; done; [ $n -lt 600 ]', LIMIT_S)
    check(status == 0, r(f'output {name}'))


def press_return(r, name='virtio'):
    """The console ends with its input, or after a second."""
    r.shell.run(f'(echo; sleep 1) | timeout 2 lh cell console {name}')


def digest(r, what):
    return r.shell(f'{what} | sha256sum').split()[0]


def duration(text):
    """Between the two times that the cell printed."""
    begun, end = (float(x) for x in re.findall(r'^([\d.]+) [\d.]+$', text, re.M))
    return end - begun


def boot_devices(t):
    with Root(t, files()) as r:
        r.shell('modprobe tun; truncate -s 16M /disk.img')
        before = r.left()
        data = f'seq 1 200000 | head -c {SIZE}'
        work = (f'ls /sys/bus/virtio/devices; cat /sys/block/vda/size; {data} > /data; '
                'cat /proc/uptime; dd if=/data of=/dev/vda bs=4096 conv=fsync 2> /dev/null; '
                'cat /proc/uptime; '
                f'echo 3 > /proc/sys/vm/drop_caches; head -c {SIZE} /dev/vda | sha256sum; '
                'echo hello from the cell > /dev/hvc0; grep virtio /proc/interrupts')
        start(r, work)
        with t.test('an unmodified Debian finds its devices, with their messages'):
            text = ended(r)
            check(re.search(r'virtio0 +virtio1 +virtio2\s+32768\n', text), text)
            check(re.search(r'MSIX.*virtio.-req', text), text)
        with t.test('the disk keeps what was written'):
            t.explain(f'{SIZE} bytes in {duration(text):.2f} s')
            wanted = digest(r, data)
            check(wanted in text, text)
            check_equal(digest(r, f'head -c {SIZE} /disk.img'), wanted)
        with t.test('the console says what the cell says'):
            check_equal(r.shell('cat /console.out').strip(), 'hello from the cell')
        with t.test('events come by interrupts of the management function'):
            count = r.shell("grep uio_pci_generic /proc/interrupts | awk '{print $2}'")
            check(int(count) > 10, count)
            t.explain(f'{count} interrupts; {SIZE // 4096} blocks written')
        with t.test('the server goes with its cell, and gives everything back'):
            r('destroy virtio')
            r.shell(f'while kill -0 {SERVER} 2> /dev/null; do usleep 100000; done')
            check_equal(r.left(), before)
            r.check_kernel()
        with t.test('the hypervisor stays small'):
            resident = int(re.search(r'resident (\d+)', r('info')).group(1))
            t.explain(f'{resident} bytes resident')
            check(resident <= 2 << 20, resident)
        refusals(t, r)
        r.power_off()


def refusals(t, r):
    def refused(edit):
        r.shell(f"sed '{edit}' /cells/virtio.dts > /cells/bad.dts")
        return r.refused('run /cells/bad.dts --keep')
    with t.test('what cannot be served is refused, and nothing is left of it'):
        before = r.left()
        check('none.img' in refused('s/disk.img/none.img/'))
        check('cells' in refused('s/disk.img/cells/'))
        check('ifname' in refused('s/ifname=cell1/ifname=/'))
        check('slot 2' in refused('s/tap,ifname=cell1/string/'))
        check('slot 3' in refused('s,file:/console.out,nothing,'))
        check("property 'drive' is missing" in refused('s/drive = "[^"]*";//'))
        check('from 1 to 7' in refused('s/<1>; drive/<9>; drive/'))
        check('given twice' in refused('s/<2>; netdev/<1>; netdev/'))
        check('PCI bus' in refused('/pci@/d'))
        check_equal(r.left(), before)
    with t.test('one program serves a cell'):
        r('create /cells/virtio.dts')
        r('serve virtio --background')
        check('served already' in r.refused('serve virtio'))
        check("there is no cell 'none'" in r.refused('serve none'))
        r('destroy virtio')
    with t.test('a cell without a server starts without its devices'):
        r('create /cells/virtio.dts')
        r(f"load virtio --append '{QUIET} guest.run=\"ls /sys/bus/virtio/devices; echo end\"'")
        r('start virtio')
        text = ended(r)
        check('virtio0' not in text and 'end' in text, text)
        r('destroy virtio')


def boot_killed(t):
    rng = random.Random(3)
    with Root(t, files()) as r:
        r.shell('modprobe tun; truncate -s 16M /disk.img')
        data = f'seq 1 200000 | head -c {SIZE}'
        write = 'dd if=/data of=/dev/vda bs=100000 conv=fsync,notrunc 2> /dev/null'
        n = 12
        work = (f'{data} > /data; echo begins; i=0; while [ $i -lt {n} ]; do {write} seek=$((10 * i)); '
                f'i=$((i + 1)); done; echo 3 > /proc/sys/vm/drop_caches; head -c {n * SIZE} /dev/vda '
                '| sha256sum')
        with t.test('a cell goes on after its server was killed and another came'):
            start(r, work)
            until(r, 'begins')
            for _ in range(KILLS):
                r.shell(f'usleep {rng.randrange(300000)}; kill -9 {SERVER}')
                check('running' in r('list'))
                r('serve virtio --background')
            text = ended(r)
            wanted = digest(r, f'for i in $(seq {n}); do {data}; done')
            check(wanted in text, text)
            check_equal(digest(r, f'head -c {n * SIZE} /disk.img'), wanted)
            r('destroy virtio')
        with t.test('a driver whose server is gone gets its device back, and the cell goes on'):
            start(r, 'echo begins; read x; echo virtio0 > /sys/bus/virtio/drivers/virtio_blk/unbind; '
                     'echo unbound')
            until(r, 'begins')
            r.shell(f'kill -9 {SERVER}')
            press_return(r)
            check('unbound' in ended(r))
        with t.test('a cell whose server is gone starts again and is destroyed'):
            r('start virtio')
            r('stop virtio')
            r('destroy virtio')
        with t.test('a server that hangs does not see the memory of the next start'):
            start(r, 'echo begins; sleep 600')
            until(r, 'begins')
            hung = r.shell(f'echo {SERVER}')
            r.shell(f'kill -STOP {hung}')
            r('stop virtio')
            r(f"load virtio --append '{QUIET} guest.net=off guest.run=\"echo again\"'")
            r('start virtio')
            r.shell(f'kill -CONT {hung}; while kill -0 {hung} 2> /dev/null; do usleep 100000; done')
            r('serve virtio --background')
            check('again' in ended(r))
            r('destroy virtio')
            check_equal(r.shell('nproc'), '2')
            r.check_kernel()
        r.power_off()


def boot_network(t):
    with Root(t, files(), smp=3) as r:
        r.shell('modprobe tun; echo 1 > /proc/sys/net/ipv4/ip_forward')
        both = 'modprobe -q virtio_net; ip link set eth0 up; ip addr add 10.9.{0}.2/24 dev eth0; ' \
            'ip route add default via 10.9.{0}.1; echo begins; '
        wget = 'cat /proc/uptime; wget -q -O - http://10.9.1.1/file | sha256sum; cat /proc/uptime; ' \
            'wget -q -O - http://10.9.2.2/of2 | sha256sum; cat /proc/uptime'
        serve = 'head -c 4000000 /dev/urandom > /of2; sha256sum /of2; httpd -h /; '
        for n, name in (1, 'net1'), (2, 'net2'):
            work = both.format(n)
            work += serve + 'read x; ' if n == 2 else f'read x; ping -c 20 -i 0.2 10.9.2.2; {wget}'
            start(r, work, name)
            r.shell(f'ip addr add 10.9.{n}.1/24 dev cell{n}; ip link set cell{n} up')
            until(r, 'begins', name)
        r.shell('mkdir /www; dd if=/dev/urandom of=/www/file bs=1M count=4 2> /dev/null; '
                'httpd -p 10.9.1.1:80 -h /www')
        with t.test('the root cell reaches both'):
            for n in 1, 2:
                check(' 0% packet loss' in r.shell(f'ping -c 5 -i 0.2 10.9.{n}.2'))
        with t.test('one cell reaches the other'):
            press_return(r, 'net1')
            text = ended(r, 'net1')
            t.explain('\n'.join(re.findall('.*packets.*|round-trip.*', text)))
            check(' 0% packet loss' in text, text)
        with t.test('files come through unchanged, from the root cell and from the other'):
            check(digest(r, 'cat /www/file') in text, text)
            other = re.search('([0-9a-f]{64})  /of2', r('output net2')).group(1)
            check(other in text, text, other)
            begun, half, end = (float(x) for x in re.findall(r'^([\d.]+) [\d.]+$', text, re.M))
            t.explain(f'4 MiB from the root cell in {half - begun:.2f} s, from the other in {end - half:.2f} s')
        with t.test('and is gone with the cells'):
            press_return(r, 'net2')
            ended(r, 'net2')
            for name in 'net1', 'net2':
                r(f'destroy {name}')
            r.check_kernel()
        r.power_off()


def bridge_of(r, *ports):
    """The root cell's part: these ports outlive the programs that open them."""
    r.shell('modprobe tun; modprobe bridge; brctl addbr br0; ip addr add 10.9.0.1/24 dev br0; ip link set br0 up; '
            'echo 0 > /proc/sys/net/ipv4/ip_forward')
    for name in ports:
        r.shell(f'tunctl -t {name}; brctl addif br0 {name}; ip link set {name} up')


def ports_of(r):
    """{address of a card: number of the port of br0 behind which it is}, as br0 has learned it.
    Each row is the kernel's struct __fdb_entry: address, port, whether it is the bridge's own."""
    rows = (line.split() for line in
            r.shell("hexdump -v -e '16/1 \"%02x \" \"\\n\"' /sys/class/net/br0/brforward").splitlines())
    return {':'.join(row[:6]): int(row[6], 16) for row in rows if row[7] == '00'}


def boot_bridge(t):
    with Root(t, files(), smp=3) as r:
        with t.test('the root cell has a bridge of the cards of two cells'):
            bridge_of(r, 'cell1', 'cell2')
            bulk = f'head -c {BULK} /dev/urandom > /of'
            both = 'modprobe -q virtio_net; ip link set eth0 up; ip addr add 10.9.0.1{0}/24 dev eth0; ' \
                '{1}{0}; sha256sum /of{0}; httpd -h /; echo begins; read x; '
            fetch = f'ping -c 20 -i 0.2 10.9.0.12; cat /proc/uptime; wget -q -O /back http://10.9.0.12/of2; ' \
                'cat /proc/uptime; sha256sum /back; ip neigh; read x; ping -c 5 -i 0.2 10.9.0.12'
            for n in 1, 2:
                start(r, both.format(n, bulk) + (fetch if n == 1 else ''), f'net{n}')
                until(r, 'begins', f'net{n}')
        with t.test('the root cell reaches both through it'):
            for n in 1, 2:
                check(' 0% packet loss' in r.shell(f'ping -c 5 -i 0.2 10.9.0.1{n}'))
            ports = ports_of(r)
            check_equal(ports, {OWN_MAC: 1, GIVEN_MAC: 2})
        with t.test('one cell reaches the other as its neighbour'):
            press_return(r, 'net1')
            until(r, '/back', 'net1')
            text = r('output net1')
            t.explain('\n'.join(re.findall('.*packets.*|round-trip.*', text)))
            check(' 0% packet loss' in text and 'ttl=64' in text, text)
            check(re.search('10.9.0.12 .*' + GIVEN_MAC, text), text)
        with t.test('what comes through in bulk is unchanged'):
            sums = [re.search('([0-9a-f]{64})  /of', r(f'output net{n}')).group(1) for n in (1, 2)]
            check(sums[1] + '  /back' in text, text, sums)
            t.explain(f'{BULK >> 20} MiB from cell to cell in {duration(text):.2f} s')
            for n in 1, 2:
                check_equal(digest(r, f'wget -q -O - http://10.9.0.1{n}/of{n}'), sums[n - 1])
        with t.test('a port stays in the bridge when the program behind it is replaced'):
            r.shell('kill -9 $(cat /run/longhouse/net2.serve)')
            r('serve net2 --background')
            press_return(r, 'net1')
            check(ended(r, 'net1').count(' 0% packet loss') == 2, r('output net1'))
        with t.test('and when the cells are gone'):
            press_return(r, 'net2')
            ended(r, 'net2')
            for n in 1, 2:
                r(f'destroy net{n}')
            check_equal(r.shell('ls /sys/class/net/br0/brif').split(), ['cell1', 'cell2'])
            r.check_kernel()
        r.power_off()


def boot_lockdown(t):
    with Root(t, files(), append='lockdown=integrity') as r:
        r.shell('modprobe tun; truncate -s 16M /disk.img')
        with t.test('where the kernel is locked down, the driver for user space does'):
            check('[integrity]' in r.shell('mount -t securityfs s /sys/kernel/security; '
                                           'cat /sys/kernel/security/lockdown'))
            start(r, 'cat /sys/block/vda/size')
            check('32768' in ended(r))
            r('destroy virtio')
            r.check_kernel()
        r.power_off()


def boot_shutdown(t):
    with Root(t, files()) as r:
        r.shell('modprobe tun; truncate -s 16M /disk.img')
        with t.test('Linux in a cell is asked to power off, and does'):
            start(r, 'echo begins; dd if=/dev/zero of=/dev/vda bs=1M count=2 2> /dev/null; sleep 600')
            until(r, 'begins')
            check('powered off' in r('shutdown virtio --timeout 30'))
            check('Power' in r('output virtio') or 'reboot' in r('output virtio'), r('output virtio'))
        with t.test('one that does not listen is told of in time'):
            r(f"load virtio --append '{QUIET} guest.net=off guest.run=\"echo 0 > "
              "/proc/sys/kernel/sysrq; echo begins; sleep 600\"'")
            r('start virtio')
            until(r, 'begins')
            check('still runs' in r.refused('shutdown virtio --timeout 4'))
            r('destroy virtio')
        r.check_kernel()
        r.power_off()


def fsck(t, disk, n):
    """Journal first, as a kernel would; then nothing may be wrong, and what was synced is there."""
    copy = t.path('copy')
    subprocess.run(['cp', '--sparse=always', disk, copy], check=True)
    subprocess.run(['e2fsck', '-p', copy], check=False, capture_output=True)
    done = subprocess.run(['e2fsck', '-fn', copy], check=False, capture_output=True, text=True)
    check_equal(done.returncode, 0)
    for i in range(n):
        text = subprocess.run(['debugfs', '-R', f'cat f{i}', copy], check=True, capture_output=True,
                              text=True).stdout
        check_equal(text, ''.join(f'{k}\n' for k in range(1, 5001)))


def boot_fsck(t):
    disk, rng = t.path('disk'), random.Random(8)
    with open(disk, 'wb') as f:
        f.truncate(32 << 20)
    try:
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-b', '4096', disk], check=True)
    except FileNotFoundError as e:
        raise Skip('missing mke2fs') from e
    more = ('-drive', f'file={disk},if=none,id=d0,format=raw', '-device', 'virtio-blk-pci,drive=d0')
    with Root(t, files(), *more) as r:
        r.shell("modprobe tun; sed -i 's,/disk.img,/dev/vda,' /cells/virtio.dts")
        work = ('modprobe ext4; mkdir /mnt; mount -t ext4 /dev/vda /mnt && echo mounted || poweroff -f; i=0; '
                'while true; do seq 5000 > /mnt/f$i; sync; echo synced $i; i=$((i+1)); done')
        for k in range(KILLS):
            with t.test(f'the file system is whole after kill {k + 1}'):
                start(r, work)
                until(r, 'mounted')
                r.shell(f'usleep {500000 + rng.randrange(2000000)}')
                r('stop virtio')
                n = r('output virtio').count('synced ')
                r('destroy virtio')
                r.shell('sync')
                t.explain(f'{n} files were synced')
                fsck(t, disk, n)
        r.check_kernel()
        r.power_off()


if __name__ == '__main__':
    main()
