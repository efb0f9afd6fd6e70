#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The user network of Debian's kernel: out to servers of the host, in through forwarded ports."""

import hashlib
import http.server
import os
import socket
import threading
import urllib.request

import inside
from machine import LIMIT_S
from report import check, check_equal, main

MIB = 1 << 20


class Server(http.server.ThreadingHTTPServer):
    """Gives `data` for every path, and keeps what is sent."""

    def __init__(self, data):
        super().__init__(('127.0.0.1', 0), Handler)
        self.data, self.got = data, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *unused):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.server.data)))
        self.end_headers()
        self.wfile.write(self.server.data)

    def do_POST(self):  # pylint: disable=invalid-name
        self.server.got.append(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *unused):
        pass


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def outwards(t, s, server):
    url = f'http://10.0.2.2:{server.server_port}/'
    with t.test('a file comes from a server of the host'):
        check_equal(s(f'wget -q -O - {url} | sha256sum').split()[0], sha256(server.data))
    with t.test('four come at once'):
        s(f'for i in 1 2 3 4; do wget -q -O - {url} | sha256sum > /tmp/sum$i & done; wait')
        check_equal(s('cat /tmp/sum* | sort -u').split()[0], sha256(server.data))
        check_equal(s('cat /tmp/sum* | wc -l'), '4')
    with t.test('a file goes to a server of the host'):
        s('seq 1 100000 > /tmp/numbers')
        s(f'wget -q -O /dev/null --post-file=/tmp/numbers {url}')
        check_equal(server.got, [''.join(f'{i}\n' for i in range(1, 100001)).encode()])
    with t.test('a port where nobody listens refuses'):
        check(s.run(f'wget -q -T 60 -O - http://10.0.2.2:{free_port()}/')[0] != 0)


def fetch(port, path):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}/{path}', timeout=LIMIT_S) as answer:
        return answer.read()


def inwards(t, s, server, tcp, udp):
    with t.test('the host reaches a server of the guest'):
        s(f'mkdir -p /tmp/www; wget -q -O /tmp/www/file http://10.0.2.2:{server.server_port}/')
        s('httpd -p 80 -h /tmp/www')
        check_equal(sha256(fetch(tcp, 'file')), sha256(server.data))
        check_equal(sha256(fetch(tcp, 'file')), sha256(server.data))
    with t.test('a connection carries both ways'):
        s('nc -l -p 81 -e tr a-z A-Z & until netstat -ltn | grep -q :81; do usleep 50000; done')
        with socket.create_connection(('127.0.0.1', udp), timeout=LIMIT_S) as c:
            c.sendall(b'every letter\n' * 5000)
            c.shutdown(socket.SHUT_WR)
            got = b''.join(iter(lambda: c.recv(65536), b''))
        check_equal(got, b'EVERY LETTER\n' * 5000)


def boot_user_network(t):
    tcp, other = free_port(), free_port()
    with Server(os.urandom(2 * MIB + 1)) as server, \
            t.direct('-smp', '2', '-m', '512M', '-nic',
                     f'user,mac=52:54:00:ab:cd:ef,hostfwd=tcp:127.0.0.1:{tcp}-:80,'
                     f'hostfwd=tcp:127.0.0.1:{other}-10.0.2.15:81', append='guest.net=wait') as m:
        s = m.shell()
        with t.test('the guest has got its address'):
            text = s('ip addr show eth0; ip route; cat /etc/resolv.conf')
            for part in ('52:54:00:ab:cd:ef', '10.0.2.15/24', 'default via 10.0.2.2', '10.0.2.3'):
                check(part in text, text)
        with t.test('the gateway answers'):
            s('ping -c 2 -w 60 10.0.2.2')
        outwards(t, s, server)
        inwards(t, s, server, tcp, other)
        with t.test('the card has lost nothing'):
            names = ('rx_errors', 'tx_errors', 'rx_dropped', 'tx_dropped')
            check_equal(s('cd /sys/class/net/eth0/statistics; cat ' + ' '.join(names)),
                        '0\n0\n0\n0')
        inside.kernel_messages(t, s)
        check_equal(s.power_off()[::2], (0, ''))


def boot_cards(t):
    """Two cards by -device, one of them on a network of its own without a way out."""
    with Server(b'secret') as server, \
            t.direct('-m', '512M', '-netdev', 'user,id=a', '-device', 'virtio-net-pci,netdev=a,addr=4',
                     '-netdev', 'user,id=b,restrict=on',
                     '-device', 'virtio-net-pci,netdev=b,mac=52:54:00:00:00:02,addr=6',
                     '-device', 'virtio-rng-pci', append='guest.net=off') as m:
        s = m.shell()
        with t.test('both cards are there'):
            check_equal(sorted(s('ls /sys/class/net').split()), ['eth0', 'eth1', 'lo'])
            check('0000:00:04.0' in s('realpath /sys/class/net/eth0'))
            check_equal(s('cat /sys/class/net/eth1/address'), '52:54:00:00:00:02')
        url = f'http://10.0.2.2:{server.server_port}/'
        with t.test('restrict=on lets nothing out'):
            s('ip link set eth1 up; udhcpc -i eth1 -s /etc/dhcp -n -q')
            check(s.run(f'wget -q -T 5 -O - {url}')[0] != 0)
        with t.test('the other one does'):
            s('ip addr flush dev eth1; ip link set eth1 down; ip link set eth0 up')
            s('udhcpc -i eth0 -s /etc/dhcp -n -q')
            check_equal(s(f'wget -q -O - {url}'), 'secret')
        with t.test('virtio-rng gives random bytes'):
            check('virtio_rng' in s('cat /sys/class/misc/hw_random/rng_available'))
            check_equal(len(set(s('head -c 64 /dev/hwrng | xxd -p -c 16').split())), 4)
        inside.kernel_messages(t, s)
        check_equal(s.power_off()[::2], (0, ''))


main()
